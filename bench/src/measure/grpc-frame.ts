/** A gRPC message frame around a protobuf message whose field 1 holds `bytes` bytes, each of them `fill`. */
export function grpcFrame(bytes: number, fill = 'x'): Buffer {
  const message = Buffer.concat([Buffer.from([0x0a, ...varint(bytes)]), Buffer.alloc(bytes, fill)])
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}
