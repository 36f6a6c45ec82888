/**
 * Typed documents: the operations of `src/operations/*.graphql`, checked against the schema, as digests whose results
 * and variables TypeScript knows, and the list of their texts for the engine. The schema has no interfaces and no unions,
 * so a selection is one object type.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema,
  getNamedType,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  typeFromAST,
  validate,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { uiRoot } from './vite-config.ts'

const SCHEMA = join(uiRoot, '../engine/contracts/src/graphql/schema.graphql')
const OPERATIONS = join(uiRoot, 'src/operations')
const DOCUMENTS_FILE = join(uiRoot, 'src/gen/documents.ts')
/** What the engine knows of it: the texts that may be named by their digest. */
const TEXTS_FILE = join(uiRoot, '../engine/contracts/src/graphql/ui-operations.json')

/** Scalars as they are on the wire. */
const SCALARS: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  DateTime: 'string',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
}

/** @throws Error with every place where an operation does not fit the schema. @returns contents by file. */
export function generateDocuments(): ReadonlyMap<string, string> {
  const schema = buildSchema(readFileSync(SCHEMA, 'utf8'))
  const document = readOperations()
  const errors = validate(schema, document)
  if (errors.length > 0) throw new Error(errors.map(String).join('\n\n'))
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations: OperationDefinitionNode[] = []
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition)
    else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
  const named = new Set<GraphQLEnumType | GraphQLInputObjectType>()
  const write = createWriter(schema, named)
  const texts = operations.map((operation) => textOf(operation, fragments))
  const parts = [
    ...[...fragments.values()].map((fragment) => write.fragment(fragment)),
    ...operations.map((operation, index) => write.operation(operation, texts[index] ?? '')),
  ]
  // Inputs name further types: the set grows while it is walked.
  const types: string[] = []
  for (const type of named) types.push(namedType(type, named))
  return new Map([
    [DOCUMENTS_FILE, [HEAD, ...types, ...parts].join('\n\n') + '\n'],
    [TEXTS_FILE, JSON.stringify(texts, null, 2) + '\n'],
  ])
}

const HEAD = `// Made by \`npm run generate -w @kre/admin-ui\` from src/operations and the schema: change those.

/** An operation that the engine knows, with what it takes and gives. */
export type TypedDocument<Result, Variables> = {
  readonly name: string
  /** SHA-256 of its text, in hexadecimal. */
  readonly digest: string
  /** Never there: carries the types. */
  readonly types?: (variables: Variables) => Result
}`

function readOperations(): DocumentNode {
  const files = readdirSync(OPERATIONS)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted()
  return parse(files.map((name) => readFileSync(join(OPERATIONS, name), 'utf8')).join('\n'))
}

function createWriter(schema: GraphQLSchema, named: Set<GraphQLEnumType | GraphQLInputObjectType>) {
  function selection(set: SelectionSetNode, parent: GraphQLObjectType): string {
    const spreads: string[] = []
    const fields: string[] = []
    for (const node of set.selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) spreads.push(node.name.value)
      if (node.kind !== Kind.FIELD) continue
      const field = parent.getFields()[node.name.value]
      if (field === undefined) throw new Error(`${parent.name} has no ${node.name.value}`)
      const inner = getNamedType(field.type)
      const text =
        inner instanceof GraphQLObjectType && node.selectionSet !== undefined
          ? selection(node.selectionSet, inner)
          : leaf(inner, named)
      fields.push(`${(node.alias ?? node.name).value}: ${wrap(field.type, text)}`)
    }
    return [...spreads, ...(fields.length > 0 ? [`{ ${fields.join('; ')} }`] : [])].join(' & ')
  }

  return {
    fragment({ name, typeCondition, selectionSet }: FragmentDefinitionNode): string {
      const parent = schema.getType(typeCondition.name.value) as GraphQLObjectType
      return `export type ${name.value} = ${selection(selectionSet, parent)}`
    },
    operation(node: OperationDefinitionNode, text: string): string {
      const name = node.name?.value ?? ''
      const root = schema.getRootType(node.operation) as GraphQLObjectType
      const variables = (node.variableDefinitions ?? []).map(({ variable, type }) => {
        const graphqlType = typeFromAST(schema, type as never) as GraphQLType
        return member(variable.name.value, graphqlType, leaf(getNamedType(graphqlType), named))
      })
      return [
        `export type ${name}Result = ${selection(node.selectionSet, root)}`,
        `export type ${name}Variables = { ${variables.join('; ')} }`,
        `export const ${name}: TypedDocument<${name}Result, ${name}Variables> = {`,
        `  name: '${name}',`,
        `  digest: '${createHash('sha256').update(text).digest('hex')}',`,
        `}`,
      ].join('\n')
    },
  }
}

/** An operation with its fragments, as short as it can be. */
function textOf(
  node: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): string {
  const definitions = [node, ...usedFragments(node, fragments)]
  return stripIgnoredCharacters(definitions.map((definition) => print(definition)).join('\n'))
}

/** Fragments that a node spreads, and those that they spread. */
function usedFragments(
  node: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): FragmentDefinitionNode[] {
  const used = new Map<string, FragmentDefinitionNode>()
  const look = (inside: OperationDefinitionNode | FragmentDefinitionNode): void => {
    visit(inside, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value)
        if (fragment === undefined || used.has(name.value)) return
        used.set(name.value, fragment)
        look(fragment)
      },
    })
  }
  look(node)
  return [...used.values()]
}

function leaf(
  type: GraphQLNamedType,
  named: Set<GraphQLEnumType | GraphQLInputObjectType>,
): string {
  if (type instanceof GraphQLEnumType || type instanceof GraphQLInputObjectType) {
    named.add(type)
    return type.name
  }
  const scalar = SCALARS[type.name]
  if (scalar === undefined) throw new Error(`nobody said what ${type.name} is in TypeScript`)
  return scalar
}

/** The type around a named one: lists and null. */
function wrap(type: GraphQLType, inner: string): string {
  if (type instanceof GraphQLNonNull) return bare(type.ofType, inner)
  return `${bare(type, inner)} | null`
}

function bare(type: GraphQLType, inner: string): string {
  return type instanceof GraphQLList ? `readonly (${wrap(type.ofType, inner)})[]` : inner
}

function member(name: string, type: GraphQLType, inner: string): string {
  return type instanceof GraphQLNonNull
    ? `${name}: ${wrap(type, inner)}`
    : `${name}?: ${wrap(type, inner)} | undefined`
}

function namedType(
  type: GraphQLEnumType | GraphQLInputObjectType,
  named: Set<GraphQLEnumType | GraphQLInputObjectType>,
): string {
  if (type instanceof GraphQLEnumType)
    return `export type ${type.name} = ${type
      .getValues()
      .map(({ name }) => `'${name}'`)
      .join(' | ')}`
  const fields = Object.values(type.getFields()).map((field) => {
    const text = leaf(getNamedType(field.type), named)
    // A default makes a field that must not be null one that may be left away.
    return field.defaultValue === undefined
      ? member(field.name, field.type, text)
      : `${field.name}?: ${wrap(field.type, text)} | undefined`
  })
  return `export type ${type.name} = { ${fields.join('; ')} }`
}
