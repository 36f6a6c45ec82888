import {
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isSpecifiedScalarType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
} from 'graphql'

/** Scalars of ours that are on the wire what a client of KRE's expects. */
const SAME_ON_THE_WIRE: Readonly<Record<string, string>> = { DateTime: 'String', ID: 'String' }

/** Coordinates (`Type.field`, `Type.field(argument)`) of what a client of `old` can't do with `current`, and why. */
export function breakingChanges(old: GraphQLSchema, current: GraphQLSchema): Map<string, string> {
  const broken = new Map<string, string>()
  for (const type of Object.values(old.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue
    const now = current.getType(type.name)
    if (now === undefined) broken.set(type.name, 'is gone')
    else for (const [place, why] of changesOf(type, now)) broken.set(place, why)
  }
  return broken
}

function changesOf(old: GraphQLNamedType, now: GraphQLNamedType): [string, string][] {
  const at = (name: string) => `${old.name}.${name}`
  if (isObjectType(old) && isObjectType(now))
    return Object.values(old.getFields()).flatMap((field): [string, string][] => {
      const found = now.getFields()[field.name]
      return found === undefined
        ? [[at(field.name), 'is gone']]
        : changesOfField(at(field.name), field, found)
    })
  if (isInputObjectType(old) && isInputObjectType(now)) {
    const changed = Object.values(old.getFields()).flatMap((field): [string, string][] => {
      const found = now.getFields()[field.name]
      if (found === undefined) return [[at(field.name), 'is gone']]
      return takes(found.type, field.type) ? [] : [[at(field.name), `is ${String(found.type)} now`]]
    })
    const required = Object.values(now.getFields()).filter(
      (field) => isRequiredInputField(field) && old.getFields()[field.name] === undefined,
    )
    return [
      ...changed,
      ...required.map((field): [string, string] => [at(field.name), 'is required now']),
    ]
  }
  if (isEnumType(old) && isEnumType(now))
    return old
      .getValues()
      .filter(({ name }) => now.getValue(name) === undefined)
      .map(({ name }) => [at(name), 'is gone'])
  return old.constructor === now.constructor ? [] : [[old.name, 'is another kind of type']]
}

function changesOfField(
  place: string,
  old: GraphQLField<unknown, unknown>,
  now: GraphQLField<unknown, unknown>,
): [string, string][] {
  const changed: [string, string][] = gives(now.type, old.type)
    ? []
    : [[place, `is ${String(now.type)} now`]]
  for (const argument of old.args) {
    const found = now.args.find(({ name }) => name === argument.name)
    const at = `${place}(${argument.name})`
    if (found === undefined) changed.push([at, 'is gone'])
    else if (!takes(found.type, argument.type)) changed.push([at, `is ${String(found.type)} now`])
  }
  for (const argument of now.args)
    if (isRequiredArgument(argument) && !old.args.some(({ name }) => name === argument.name))
      changed.push([`${place}(${argument.name})`, 'is required now'])
  return changed
}

/** Whether what comes out is something that who expects `expected` can read. */
function gives(type: GraphQLType, expected: GraphQLType): boolean {
  if (isNonNullType(expected)) return isNonNullType(type) && gives(type.ofType, expected.ofType)
  if (isNonNullType(type)) return gives(type.ofType, expected)
  if (isListType(expected)) return isListType(type) && gives(type.ofType, expected.ofType)
  return !isListType(type) && wireName(type) === wireName(expected)
}

/** Whether what goes in may be what who knows `given` sends: also a variable of exactly that type. */
function takes(type: GraphQLType, given: GraphQLType): boolean {
  if (isNonNullType(type)) return isNonNullType(given) && takes(type.ofType, given.ofType)
  if (isNonNullType(given)) return takes(type, given.ofType)
  if (isListType(type)) return isListType(given) && takes(type.ofType, given.ofType)
  // Variables are told apart by the name of their type, whatever is on the wire.
  return !isListType(given) && String(type) === String(given)
}

function wireName(type: GraphQLType): string {
  return SAME_ON_THE_WIRE[String(type)] ?? String(type)
}
