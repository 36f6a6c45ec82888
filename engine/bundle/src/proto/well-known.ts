/** The files of `google/protobuf/` that every protobuf runtime brings along, and of `google/api/` that annotate rpcs. */
import type { DescFile } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt'
import { GOOGLE_API_FILES } from './google-api.ts'

const FILES: readonly DescFile[] = [
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
]
const BY_NAME: ReadonlyMap<string, FileDescriptorProto> = new Map(
  [...FILES.map(({ proto }) => proto), ...GOOGLE_API_FILES].map((proto) => [proto.name, proto]),
)

export function wellKnownFile(name: string): FileDescriptorProto | undefined {
  return BY_NAME.get(name)
}

/** Whether a file annotates rpcs; runtimes do not bring those along. */
export function isAnnotationFile(name: string): boolean {
  return GOOGLE_API_FILES.some((file) => file.name === name)
}
