import { z } from 'zod'
import { ManifestV1, ManifestV2 } from './schema.ts'

/** JSON Schema (draft 2020-12) of both manifest generations, for editors; published as `krt.schema.json`. */
export function krtJsonSchema(): object {
  const schema = z.union([ManifestV2, ManifestV1]).meta({
    title: 'KRT manifest',
    description: 'kre.yaml: the definition of a version of a KRE runtime.',
  })
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
}
