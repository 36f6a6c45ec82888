import { z } from 'zod'

/** What a value of the configuration comes from. `value` is for what is no secret: the file is there to be shared. */
const ValueSource = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ value: z.string() }),
  ],
  { error: 'is one of { env: NAME }, { file: PATH } and { value: TEXT }' },
)
export type ValueSource = z.infer<typeof ValueSource>

const VersionEntry = z
  .strictObject({
    /** A `.krt` file or a folder; relative paths begin at the document's folder. */
    bundle: z.string().min(1).optional(),
    /** What the bundle must be called, or which version is meant where no bundle is named. */
    name: z.string().min(1).optional(),
    /** Absent = as it is. */
    state: z.enum(['started', 'stopped']).optional(),
    /** A file with KEY=VALUE lines; keys of `config` win. */
    envFile: z.string().min(1).optional(),
    config: z.record(z.string(), ValueSource).optional(),
  })
  .refine(({ bundle, name }) => bundle !== undefined || name !== undefined, {
    error: 'names a bundle, or the name of a version that is there',
  })
export type VersionEntry = z.infer<typeof VersionEntry>

const Size = z.union([z.int().positive(), z.string().min(1)], {
  error: 'is a size, as in 512MiB',
})

/** Null = none of the runtime's own. */
const LogLimits = z.strictObject({
  days: z.int().min(1).max(365).nullable(),
  bytesMax: Size.nullable(),
})

const RuntimeDocument = z
  .strictObject({
    kind: z.literal('Runtime'),
    id: z.string().min(1),
    /** Absent = as it is; of a new runtime, the id. */
    name: z.string().min(1).optional(),
    description: z.string().min(1).optional(),
    log: LogLimits.optional(),
    /** Absent = as they are. */
    versions: z.array(VersionEntry).max(1_000).optional(),
    /** Name of the published version; null = none; absent = as it is. */
    published: z.string().min(1).nullable().optional(),
  })
  .superRefine(({ versions = [], published }, issues) => {
    for (const [index, { name, state }] of versions.entries())
      if (state === 'stopped' && name !== undefined && name === published)
        issues.addIssue({
          code: 'custom',
          path: ['versions', index, 'state'],
          message: 'can not be "stopped": this version is the published one',
        })
  })

const SettingsDocument = z.strictObject({
  kind: z.literal('Settings'),
  allowedDomains: z.array(z.string().min(1)).optional(),
  sessionLifetimeInDays: z.int().min(1).optional(),
})

const Level = z.enum(['VIEWER', 'MANAGER', 'ADMIN', 'NONE'])
const UserDocument = z.strictObject({
  kind: z.literal('User'),
  email: z.string().min(3),
  /** On everything; NONE = only what the grants say; absent = as it is. */
  level: Level.optional(),
  /** By runtime; all of them, so what is not named is taken away. Absent = as they are. */
  grants: z.record(z.string(), z.enum(['VIEWER', 'MANAGER'])).optional(),
})

/** One document of `krectl apply`. */
export const ApplyDocument = z.discriminatedUnion(
  'kind',
  [SettingsDocument, RuntimeDocument, UserDocument],
  { error: 'is one of Settings, Runtime and User' },
)
export type ApplyDocument = z.infer<typeof ApplyDocument>
export type RuntimeDocument = Extract<ApplyDocument, { kind: 'Runtime' }>
export type UserDocument = Extract<ApplyDocument, { kind: 'User' }>
