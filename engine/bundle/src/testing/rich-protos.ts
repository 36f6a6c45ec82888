/** Two files that use most of what the protobuf language has; protoc accepts both. */
export const RICH_PROTOS: Readonly<Record<string, string>> = {
  'public_input.proto': `syntax = "proto3";
// A comment; with "quotes" and message Fake { }
package kre.rich.v1;

import "google/protobuf/timestamp.proto";
import "google/protobuf/struct.proto";
import public "common/types.proto";
import 'legacy/old-style.proto';
import "google/protobuf/descriptor.proto";

option java_package = "com.example.rich";
option java_multiple_files = true;
option go_package = "example.com/rich;rich";
option optimize_for = CODE_SIZE;
option cc_enable_arenas = true;

extend google.protobuf.FieldOptions {
  string my_hint = 50001;
}

/* block comment */
enum Shade {
  option allow_alias = true;
  SHADE_UNKNOWN = 0;
  SHADE_DARK = 1 [deprecated = true];
  SHADE_BLACK = 1;
  SHADE_BELOW = -5;
  reserved 10 to 20, 30, 1000 to max;
  reserved "SHADE_OLD", 'SHADE_OLDER';
}

message Everything {
  option deprecated = true;
  double f_double = 1;
  float f_float = 2;
  int64 f_int64 = 3 [jstype = JS_STRING];
  uint64 f_uint64 = 4;
  int32 f_int32 = 5;
  fixed64 f_fixed64 = 6;
  fixed32 f_fixed32 = 7;
  bool f_bool = 8;
  string f_string = 9 [json_name = "renamedString"];
  bytes f_bytes = 10;
  uint32 f_uint32 = 11;
  sfixed32 f_sfixed32 = 12;
  sfixed64 f_sfixed64 = 13;
  sint32 f_sint32 = 14;
  sint64 f_sint64 = 15 [deprecated = true];
  repeated int32 packed_default = 16;
  repeated int32 packed_off = 17 [packed = false];
  repeated Shade packed_on = 18 [packed = true];
  map<string, Everything> by_name = 19;
  map<int64, google.protobuf.Value> values_by_id = 20;
  map<bool, Shade> _odd__name_9x = 21;
  optional int32 maybe = 22;
  optional Inner maybe_inner = 23;
  oneof choice {
    option (my_oneof) = true;
    string as_text = 24;
    Inner as_inner = 25;
    .kre.rich.v1.Everything as_self = 26;
    common.Size as_size = 27;
  }
  optional Shade maybe_shade = 28;
  oneof second { int32 only = 29; }
  google.protobuf.Timestamp at = 30;
  common.deep.Leaf leaf = 31;
  Inner.Innermost innermost = 32;
  legacy.Old old = 33;
  int32 hinted = 34 [(my_hint) = "hello", (legacy.note).text = "x"];
  string constructor = 35;
  string __proto = 36;
  string hasOwnProperty = 37;
  int32 message = 38;
  int32 reserved_ = 39;
  string camelCase_Mixed_1 = 40;

  message Inner {
    int32 a = 1;
    message Innermost { Shade shade = 1; Everything.Inner up = 2; }
    enum Local { LOCAL_ZERO = 0; LOCAL_ONE = 0x1; LOCAL_EIGHT = 010; }
    Local local = 2;
    repeated Innermost more = 3;
  }
  reserved 100, 200 to 300, 5000 to max;
  reserved "gone", "also_gone";
}

message Empty {}
message Types { oneof o { Everything.Inner.Local l = 1; } }

service Entrypoint {
  option deprecated = true;
  rpc MakePrediction (Everything) returns (Everything.Inner);
  rpc Save (Empty) returns (common.Size) { option deprecated = true; option idempotency_level = IDEMPOTENT; }
  rpc Watch (stream .kre.rich.v1.Empty) returns (stream google.protobuf.Timestamp) {}
}
service Other { rpc Ping (Empty) returns (Empty); }

extend google.protobuf.OneofOptions { bool my_oneof = 50002; }
`,
  'common/types.proto': `syntax = "proto3";
package common;
import public "common/deep.proto";
import public "google/protobuf/duration.proto";
message Size { int32 w = 1; int32 h = 2; deep.Leaf leaf = 3; google.protobuf.Duration d = 4; }
`,
  'common/deep.proto': `syntax = "proto3";
package common.deep;
message Leaf { string id = 1; repeated Leaf leaves = 2; }
`,
  'legacy/old-style.proto': `syntax = "proto2";
package legacy;
import "google/protobuf/descriptor.proto";
message Note { optional string text = 1; extensions 10; }
extend google.protobuf.FieldOptions { optional Note note = 50003; }
message Old {
  required string name = 1 [default = "a \\"quoted\\" \\n name"];
  optional int32 count = 2 [default = -12];
  optional double ratio = 3 [default = 1.5e3];
  optional float small = 4 [default = -0.25];
  optional double endless = 5 [default = inf];
  optional bool flag = 6 [default = true];
  optional bytes raw = 7 [default = "\\001\\377abc\\\\"];
  optional Kind kind = 8 [default = KIND_B];
  optional uint32 hex = 9 [default = 0xff];
  repeated int32 packed = 10 [packed = true];
  repeated group Result = 11 {
    required string url = 1;
    optional int32 rank = 2;
  }
  optional group MyGroup = 12 { optional int32 x = 1; }
  extensions 100 to 199, 500, 1000 to max;
  reserved 50 to 60;
  oneof pick { int32 p = 13; string q = 14; }
  map<string, Kind> kinds = 15;
  message Holder { extend Old { optional string nested_extension = 101; } optional int32 h = 1; }
  enum Kind { KIND_A = 0; KIND_B = 2; KIND_NEGATIVE = -1; }
}
extend Old {
  optional int32 outside = 100;
  repeated Old.Holder holders = 102;
}
`,
}
