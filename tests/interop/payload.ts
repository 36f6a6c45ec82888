/** `interop.Payload`, by hand: the clients of the suite know bytes only. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export const PAYLOAD_PROTO = `syntax = "proto3";
package interop;
service Entrypoint {
  rpc Run(Payload) returns (Payload);
  rpc Unused(Payload) returns (Payload);
}
message Payload { bytes data = 1; string command = 2; uint32 number = 3; }
`

export type Payload = { data: Uint8Array; command: string; number: number }

export function encodePayload({ data, command, number }: Partial<Payload>): Uint8Array {
  const writer = new BinaryWriter()
  if (data !== undefined && data.length > 0) writer.tag(1, WireType.LengthDelimited).bytes(data)
  if (command !== undefined) writer.tag(2, WireType.LengthDelimited).string(command)
  if (number !== undefined) writer.tag(3, WireType.Varint).uint32(number)
  return writer.finish()
}

export function decodePayload(bytes: Uint8Array): Payload {
  const payload: Payload = { data: new Uint8Array(0), command: '', number: 0 }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1) payload.data = reader.bytes()
    else if (field === 2) payload.command = reader.string()
    else if (field === 3) payload.number = reader.uint32()
    else reader.skip(wireType, field)
  }
  return payload
}
