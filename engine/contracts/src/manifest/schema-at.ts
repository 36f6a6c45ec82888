import { z } from 'zod'
import type { DocumentPath } from './document-path.ts'

/** The map schemas that may stand at a place of a document; several where the schema has a choice. */
export function schemaAt(schema: z.ZodType, path: DocumentPath): z.ZodObject[] {
  const [step, ...rest] = path
  return alternatives(schema).flatMap((candidate): z.ZodObject[] => {
    if (step === undefined) return candidate instanceof z.ZodObject ? [candidate] : []
    if (typeof step === 'number')
      return candidate instanceof z.ZodArray ? schemaAt(candidate.element as z.ZodType, rest) : []
    if (!(candidate instanceof z.ZodObject) || !Object.hasOwn(candidate.shape, step)) return []
    return schemaAt(candidate.shape[step] as z.ZodType, rest)
  })
}

function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodUnion)
    return schema.options.flatMap((option) => alternatives(option as z.ZodType))
  return [schema]
}
