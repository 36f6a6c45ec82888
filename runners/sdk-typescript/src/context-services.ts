/** The services of a context. Names, arguments and results are those of `Call` in `worker.proto`. */
import type { CallPort, LogLevel } from './call-port.ts'
import { TerminalError } from './handler-errors.ts'

export type Logger = {
  error(...parts: unknown[]): void
  warn(...parts: unknown[]): void
  info(...parts: unknown[]): void
  debug(...parts: unknown[]): void
}

export type Database = {
  /** Resolves when the store has the document. @throws TerminalError when it is refused or not confirmed in time. */
  save(collection: string, document: Record<string, unknown>): Promise<void>
  /** Documents that `save` wrote. @param query a non-empty object. */
  find(collection: string, query: Record<string, unknown>): Promise<Record<string, unknown>[]>
}

export type PredictionError = 'missing_values' | 'new_labels'
export type PredictionOptions = {
  extra?: unknown
  /** UTC; now when left out. */
  date?: Date | string
  error?: PredictionError | ''
}
export type PredictionInput = PredictionOptions & { predictedValue?: string; trueValue?: string }
export type Prediction = {
  save(prediction: PredictionInput): Promise<void>
  save(predictedValue: string, trueValue: string, options?: PredictionOptions): Promise<void>
  saveError(error: PredictionError, options?: Omit<PredictionOptions, 'error'>): Promise<void>
}

export type Measurement = {
  /** @param time when it was measured; now when left out. A bigint is nanoseconds since 1970. */
  save(
    measurement: string,
    fields: Record<string, number | string | boolean>,
    tags?: Record<string, string>,
    time?: Date | bigint,
  ): Promise<void>
}

/** Keys by prefix or by pattern (a regular expression without back references and look-around). */
export type KeyFilter = { prefix?: string; pattern?: string | RegExp }
export type ObjectStore = {
  save(key: string, data: Uint8Array): Promise<void>
  /** @throws TerminalError when there is no object of that key. */
  get(key: string): Promise<Uint8Array>
  list(filter?: KeyFilter): Promise<string[]>
  delete(key: string): Promise<void>
  /** @returns how many objects were deleted. */
  purge(filter?: KeyFilter): Promise<number>
}

/** `node` and `workflow` live as long as the version, `project` as long as the runtime. */
export type Scope = 'node' | 'workflow' | 'project'
export type Configuration = {
  /** @param scope `node` when left out. */
  set(key: string, value: string, scope?: Scope): Promise<void>
  /** Without a scope: the first of node, workflow, project that has the key. @throws TerminalError `No value found`. */
  get(key: string, scope?: Scope): Promise<string>
  delete(key: string, scope?: Scope): Promise<void>
}

export function createLogger(call: CallPort): Logger {
  const at =
    (level: LogLevel) =>
    (...parts: unknown[]) =>
      call.log(level, parts.map(toText).join(' '))
  return { error: at('ERROR'), warn: at('WARN'), info: at('INFO'), debug: at('DEBUG') }
}

export function createDatabase(call: CallPort): Database {
  return {
    async save(collection, document) {
      await call.service('db', 'save', { collection, document })
    },
    async find(collection, query) {
      const { result } = await call.service('db', 'find', { collection, query })
      return result as Record<string, unknown>[]
    },
  }
}

export function createPrediction(call: CallPort): Prediction {
  const send = async ({ date, error, predictedValue, trueValue, extra }: PredictionInput) => {
    await call.service('prediction', 'save', {
      date: date instanceof Date ? date.toISOString() : (date ?? new Date().toISOString()),
      error: error ?? '',
      predictedValue: predictedValue ?? '',
      trueValue: trueValue ?? '',
      extra: extra ?? null,
    })
  }
  return {
    save(first: PredictionInput | string, trueValue?: string, options?: PredictionOptions) {
      if (typeof first === 'object') return send(first)
      return send({
        ...options,
        predictedValue: first,
        ...(trueValue === undefined ? {} : { trueValue }),
      })
    },
    saveError: (error, options) => send({ ...options, error }),
  }
}

export function createMeasurement(call: CallPort): Measurement {
  return {
    async save(measurement, fields, tags = {}, time = new Date()) {
      const timeNs = typeof time === 'bigint' ? time : BigInt(time.getTime()) * 1_000_000n
      await call.service('measurement', 'save', {
        measurement,
        fields,
        tags,
        timeNs: String(timeNs),
      })
    },
  }
}

export function createObjectStore(call: CallPort): ObjectStore {
  return {
    async save(key, data) {
      if (!(data instanceof Uint8Array))
        throw new TerminalError(`objectStore.save takes a Uint8Array; this is a ${typeof data}`)
      await call.service('object_store', 'save', { key }, data)
    },
    async get(key) {
      return (await call.service('object_store', 'get', { key })).data
    },
    async list(filter = {}) {
      return (await call.service('object_store', 'list', toArguments(filter))).result as string[]
    },
    async delete(key) {
      await call.service('object_store', 'delete', { key })
    },
    async purge(filter = {}) {
      return (await call.service('object_store', 'purge', toArguments(filter))).result as number
    },
  }
}

export function createConfiguration(call: CallPort): Configuration {
  return {
    async set(key, value, scope = 'node') {
      await call.service('configuration', 'set', { key, value, scope })
    },
    async get(key, scope) {
      const args = scope === undefined ? { key } : { key, scope }
      return (await call.service('configuration', 'get', args)).result as string
    },
    async delete(key, scope = 'node') {
      await call.service('configuration', 'delete', { key, scope })
    },
  }
}

function toArguments({ prefix, pattern }: KeyFilter): Record<string, unknown> {
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(pattern === undefined
      ? {}
      : { pattern: pattern instanceof RegExp ? pattern.source : pattern }),
  }
}

function toText(part: unknown): string {
  if (typeof part === 'string') return part
  if (part instanceof Error) return part.stack ?? part.message
  try {
    return (
      JSON.stringify(part, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ) ?? String(part)
    )
  } catch {
    return String(part) // a cycle: its short form is better than no line
  }
}
