import { GraphQLError, Kind } from 'graphql'
import type {
  ASTVisitor,
  DocumentNode,
  FragmentDefinitionNode,
  SelectionSetNode,
  ValidationContext,
} from 'graphql'
import { INVALID_DOCUMENT } from './to-graphql-error.ts'

/** Tokens of a document; the parser stops there. */
export const TOKENS_MAX = 1_000
/** Nesting of fields. Introspection is left to graphql's own rule, which knows its shape. */
export const DEPTH_MAX = 10
/** Aliases repeat work in one request: a form of batching. */
export const ALIASES_MAX = 15
export const DIRECTIVES_MAX = 10
/** Fields with every fragment spread out, which a short document can multiply without end. */
export const FIELDS_MAX = 5_000

/** What a selection costs with its fragments spread out. */
type Cost = { depth: number; aliases: number; directives: number; fields: number }
const NOTHING: Cost = { depth: 0, aliases: 0, directives: 0, fields: 0 }

/** Validation rule: refuses documents that are small to send and large to answer. */
export function documentLimits(context: ValidationContext): ASTVisitor {
  return {
    Document(document) {
      const cost = measureDocument(document)
      const limits = [
        ['depth', cost.depth, DEPTH_MAX],
        ['aliases', cost.aliases, ALIASES_MAX],
        ['directives', cost.directives, DIRECTIVES_MAX],
        ['fields', cost.fields, FIELDS_MAX],
      ] as const
      for (const [what, value, max] of limits)
        if (value > max) context.reportError(tooCostly(what, max))
    },
  }
}

/** Validation rule for requests that bring a file: their time is not limited, so they do nothing else. */
export function uploadsOnly(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition({ operation, selectionSet }) {
      const isUpload = selectionSet.selections.every(
        (selection) => selection.kind === Kind.FIELD && selection.name.value === 'createVersion',
      )
      if (operation === 'mutation' && isUpload) return
      context.reportError(
        new GraphQLError('a multipart request is for the mutation createVersion alone', {
          extensions: { code: INVALID_DOCUMENT, http: { status: 400 } },
        }),
      )
    },
  }
}

/** Sums over all operations and the largest depth; fragments count at each spread. */
export function measureDocument(document: DocumentNode): Cost {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition)
  /** Each fragment is measured once, so that doubling fragments cost no time. */
  const measured = new Map<string, Cost>()

  function measureFragment(name: string): Cost {
    const known = measured.get(name)
    if (known !== undefined) return known
    // Stands while the fragment is measured, so that a cycle, refused by another rule, ends here.
    measured.set(name, NOTHING)
    const fragment = fragments.get(name)
    const cost = fragment === undefined ? NOTHING : measureSelections(fragment.selectionSet)
    measured.set(name, cost)
    return cost
  }

  function measureSelections(set: SelectionSetNode | undefined): Cost {
    let total = NOTHING
    for (const selection of set?.selections ?? []) {
      const directives = selection.directives?.length ?? 0
      if (selection.kind === Kind.FIELD) {
        const inner = measureSelections(selection.selectionSet)
        const isIntrospection = selection.name.value.startsWith('__')
        total = add(total, {
          depth: isIntrospection ? 1 : inner.depth + 1,
          aliases: inner.aliases + (selection.alias === undefined ? 0 : 1),
          directives: inner.directives + directives,
          fields: inner.fields + 1,
        })
        continue
      }
      const inner =
        selection.kind === Kind.INLINE_FRAGMENT
          ? measureSelections(selection.selectionSet)
          : measureFragment(selection.name.value)
      total = add(total, { ...inner, directives: inner.directives + directives })
    }
    return total
  }

  return document.definitions.reduce(
    (total, definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? add(add(total, measureSelections(definition.selectionSet)), {
            ...NOTHING,
            directives: definition.directives?.length ?? 0,
          })
        : total,
    NOTHING,
  )
}

function add(one: Cost, other: Cost): Cost {
  return {
    depth: Math.max(one.depth, other.depth),
    aliases: one.aliases + other.aliases,
    directives: one.directives + other.directives,
    fields: one.fields + other.fields,
  }
}

function tooCostly(what: string, max: number): GraphQLError {
  return new GraphQLError(`the document has too many ${what}: at most ${max} are allowed`, {
    extensions: { code: INVALID_DOCUMENT, http: { status: 400 } },
  })
}
