/** Rules of protoc that the parser does not apply; without them a runner would refuse the file at start. */
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt'
import type { KrtIssue } from '@kre/contracts'
import { errorIssue, printable } from '../issues.ts'
import type { ProtoScan } from './scan-proto.ts'
import { joinName } from './symbol-table.ts'

const FIELD_NUMBER_MAX = 536_870_911
/** protobuf keeps these numbers for itself. */
const FIELD_NUMBERS_RESERVED = [19_000, 19_999] as const

export function checkDescriptor(file: FileDescriptorProto, scan: ProtoScan): KrtIssue[] {
  const issues: KrtIssue[] = []
  const proto3 = file.syntax === 'proto3'
  const report = (name: string, problem: string): void => {
    issues.push(
      errorIssue('PROTO_SYNTAX', `${printable(file.name)}: ${printable(name)} ${problem}`, {
        file: file.name,
        line: scan.positions.get(name)?.line ?? 1,
        column: scan.positions.get(name)?.column ?? 1,
      }),
    )
  }

  function checkEnum(scope: string, type: EnumDescriptorProto): void {
    const name = joinName(scope, type.name)
    const [first] = type.value
    if (first === undefined) report(name, 'has no values')
    else if (proto3 && first.number !== 0) report(name, 'must have 0 as its first value in proto3')
  }

  function checkField(scope: string, field: FieldDescriptorProto): void {
    for (const problem of fieldProblems(field, proto3)) report(joinName(scope, field.name), problem)
  }

  function checkMessage(scope: string, message: DescriptorProto): void {
    const name = joinName(scope, message.name)
    if (proto3 && message.extensionRange.length > 0)
      report(name, 'declares extension ranges, which proto3 does not have')
    for (const field of message.field) checkField(name, field)
    for (const [index, oneof] of message.oneofDecl.entries())
      if (!message.field.some((field) => isMember(field, index)))
        report(joinName(name, oneof.name), 'is a oneof without fields')
    for (const type of message.enumType) checkEnum(name, type)
    for (const nested of message.nestedType) checkMessage(name, nested)
  }

  for (const message of file.messageType) checkMessage(file.package, message)
  for (const type of file.enumType) checkEnum(file.package, type)
  for (const field of file.extension) checkField(file.package, field)
  return issues
}

function isMember(field: FieldDescriptorProto, oneof: number): boolean {
  return Object.hasOwn(field, 'oneofIndex') && field.oneofIndex === oneof
}

function fieldProblems(field: FieldDescriptorProto, proto3: boolean): string[] {
  const problems: string[] = []
  const [reservedFrom, reservedTo] = FIELD_NUMBERS_RESERVED
  if (field.number < 1 || field.number > FIELD_NUMBER_MAX)
    problems.push(`has number ${field.number}; field numbers are 1 to ${FIELD_NUMBER_MAX}`)
  if (field.number >= reservedFrom && field.number <= reservedTo)
    problems.push(`has number ${field.number}; protobuf reserves ${reservedFrom} to ${reservedTo}`)
  if (proto3 && field.defaultValue !== '')
    problems.push('has a default value, which proto3 does not have')
  if (proto3 && field.type === FieldDescriptorProto_Type.GROUP)
    problems.push('is a group, which proto3 does not have')
  if (proto3 && field.label === FieldDescriptorProto_Label.REQUIRED)
    problems.push('is required, which proto3 does not have')
  return problems
}
