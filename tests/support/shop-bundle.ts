/** A bundle whose messages have all that a form must be able to write; its nodes hand back what they got. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const MANIFEST = `krtVersion: v2
version: shop-v1
description: Takes orders.
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
workflows:
  - name: order
    entrypoint: Order
    exitpoint: reply
    nodes:
      - { name: check, image: konstellation/kre-ts:1.0, src: src/check.ts, subscriptions: [entrypoint] }
      - { name: reply, image: konstellation/kre-ts:1.0, src: src/reply.ts, subscriptions: [check] }
  - name: watch
    entrypoint: Watch
    exitpoint: tell
    nodes:
      - { name: tell, image: konstellation/kre-ts:1.0, src: src/tell.ts, subscriptions: [entrypoint] }
`
const PROTO = `syntax = "proto3";
package shop;

import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

service Entrypoint {
  // Takes one order and says it again.
  rpc Order(Order) returns (Order);
  // Says the order again and again.
  rpc Watch(Order) returns (stream Order);
}

// What somebody wants. <img src=x onerror=alert(1)>
message Order {
  // Who asks; an order of nobody fails.
  string customer = 1;
  int32 table = 2;
  uint64 number = 3;
  double tip = 4;
  bool urgent = 5;
  optional int32 guests = 6;
  Kind kind = 7;
  repeated Item items = 8;
  map<string, int32> stock = 9;
  oneof pay {
    // In coins.
    int64 cash = 10;
    bytes card = 11;
  }
  google.protobuf.Timestamp at = 12;
  google.protobuf.Duration within = 13;
  google.protobuf.BoolValue agreed = 14;
  google.protobuf.Struct extra = 15;
  google.protobuf.Any attachment = 16;
  Order before = 17;
}

message Item {
  string name = 1;
  repeated string wishes = 2;
}

enum Kind {
  KIND_COLD = 0;
  // From the oven.
  KIND_HOT = 1;
}
`
const SOURCES: Readonly<Record<string, string>> = {
  'check.ts': `export async function defaultHandler(ctx, data) {
  const { customer } = ctx.unpack(data)
  if (customer === '') throw new Error('nobody ordered <b onclick=alert(1)>this</b>')
  await ctx.sendAny(data)
}
`,
  'reply.ts': `export async function defaultHandler(ctx, data) {
  await ctx.sendAny(data)
}
`,
  'tell.ts': `export async function defaultHandler(ctx, data) {
  const order = ctx.unpack(data)
  for (let sent = 0; sent < order.table; sent++) {
    await ctx.stream.write(order)
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
}
`,
}

/** Writes the bundle's folder. */
export async function makeShopBundle(folder: string): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true })
  await writeFile(join(folder, 'kre.yaml'), MANIFEST)
  await writeFile(join(folder, 'public_input.proto'), PROTO)
  for (const [name, code] of Object.entries(SOURCES))
    await writeFile(join(folder, 'src', name), code)
}
