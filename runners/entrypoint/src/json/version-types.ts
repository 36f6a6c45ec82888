/** What the doors know of a version's messages; the plain gRPC path never asks. */
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf'
import { type DescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { toKreError } from '@kre/contracts/runtime'
import type { ServedVersion } from '../versions/served-version.ts'
import { httpRulesOf } from './http-rules.ts'
import { createRoute, type Route } from './route.ts'
import { compareTemplates } from './path-template.ts'
import type { TypedMethod } from './typed-method.ts'

export type VersionTypes = {
  /** For `Any` and extensions. */
  readonly registry: FileRegistry
  /** By path; those whose messages are known. */
  readonly methods: ReadonlyMap<string, TypedMethod>
  /** Of `google.api.http` annotations, the most specific first. */
  readonly routes: readonly Route[]
  /** Annotations that can't be served, each with the reason. */
  readonly ignored: readonly string[]
}

const known = new WeakMap<ServedVersion, VersionTypes>()

/** @throws KreError `internal` when the version's descriptors can't be read. */
export function typesOf(version: ServedVersion): VersionTypes {
  let types = known.get(version)
  if (types === undefined) {
    types = readTypes(version)
    known.set(version, types)
  }
  return types
}

function readTypes(version: ServedVersion): VersionTypes {
  const set = fromBinary(FileDescriptorSetSchema, version.descriptorSet)
  for (const file of set.file) fillJsonNames(file.messageType)
  const registry = createFileRegistry(set)
  const methods = new Map<string, TypedMethod>()
  const routes: Route[] = []
  const ignored: string[] = []
  for (const type of registry) {
    if (type.kind !== 'service') continue
    for (const descriptor of type.methods) {
      const served = version.methods.get(`/${type.typeName}/${descriptor.name}`)
      if (served === undefined) continue
      const { input, output } = descriptor
      const method = { served, descriptor, input, output }
      methods.set(served.path, method)
      for (const rule of httpRulesOf(descriptor)) {
        try {
          routes.push(createRoute(rule, method))
        } catch (error) {
          ignored.push(
            `${rule.method} ${rule.template} of ${served.path}: ${toKreError(error).message}`,
          )
        }
      }
    }
  }
  routes.sort((a, b) => compareTemplates(a.template, b.template))
  return { registry, methods, routes, ignored }
}

/** A compiler need not write them (google/protobuf/descriptor.proto); this is the rule they follow. */
function fillJsonNames(messages: readonly DescriptorProto[]): void {
  for (const { field, nestedType } of messages) {
    for (const each of field)
      if (each.jsonName === '')
        each.jsonName = each.name.replaceAll(/_+(.?)/g, (_all, letter: string) =>
          letter.toUpperCase(),
        )
    fillJsonNames(nestedType)
  }
}
