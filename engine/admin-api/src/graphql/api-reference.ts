import {
  isEnumType,
  isInputObjectType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql'

const HEAD = `# GraphQL reference

Made from \`engine/contracts/src/graphql/schema.graphql\` by \`npm run docs:api\`. \`[+]\` marks what KRE 8.2 does not have.
`
const ROOTS = ['Query', 'Mutation', 'Subscription']

/** The schema as a page for people: operations first, then the types they are made of. */
export function writeApiReference(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
  )
  const roots = ROOTS.flatMap((name) => types.find((type) => type.name === name) ?? [])
  const sections = [
    ['Objects', types.filter((type) => isObjectType(type) && !ROOTS.includes(type.name))],
    ['Inputs', types.filter(isInputObjectType)],
    ['Enums', types.filter(isEnumType)],
    ['Scalars', types.filter(isScalarType)],
  ] as const
  const blocks = [
    HEAD,
    schema.description ?? '',
    ...roots.map((type) => writeType(type, '##')),
    ...sections.flatMap(([title, members]) => [
      `## ${title}`,
      ...members
        .toSorted((one, other) => (one.name < other.name ? -1 : 1))
        .map((type) => writeType(type, '###')),
    ]),
  ]
  return `${blocks
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .join('\n\n')}\n`
}

function writeType(type: GraphQLNamedType, level: string): string {
  const head = [`${level} ${type.name}`, type.description ?? '']
  if (isObjectType(type))
    return [...head, ...Object.values(type.getFields()).map(writeField)]
      .join('\n\n')
      .replaceAll(/\n{3,}/g, '\n\n')
  const rows = isInputObjectType(type)
    ? Object.values(type.getFields()).map(writeInput)
    : isEnumType(type)
      ? type.getValues().map(({ name, description }) => item(`\`${name}\``, description))
      : []
  return [...head, rows.join('\n')].join('\n\n').replaceAll(/\n{3,}/g, '\n\n')
}

function writeField(field: GraphQLField<unknown, unknown>): string {
  const rows = field.args.map((argument) => `  ${writeInput(argument)}`)
  return [
    item(`**\`${field.name}\`**: \`${String(field.type)}\``, field.description),
    ...rows,
  ].join('\n')
}

function writeInput(field: GraphQLArgument | GraphQLInputField): string {
  const preset = field.defaultValue === undefined ? '' : ` = ${JSON.stringify(field.defaultValue)}`
  return item(`\`${field.name}: ${String(field.type)}${preset}\``, field.description)
}

/** Descriptions break their lines where the file was full: here a paragraph is one line. */
function item(what: string, description: string | null | undefined): string {
  const text = (description ?? '').replaceAll(/\s+/g, ' ').trim()
  return text === '' ? `- ${what}` : `- ${what}. ${text}`
}
