/** What user code prints becomes the node's log. */
import type { LogLevel } from '@kre/contracts/runtime'
import { createLineAssembler } from '../outputs/line-assembler.ts'
import { parseLogLine, type LogLine } from '../outputs/log-line.ts'

type Write = typeof process.stdout.write

/** An `import` reads all that the module exports, and so loads worker threads and more that nobody needs. */
const { format } = process.getBuiltinModule('node:util')

/**
 * Takes over `console` and the standard streams of this process.
 *
 * @returns a function that gives out the lines that still wait for their continuation.
 */
export function captureOutput(emit: (line: LogLine) => void): () => void {
  const out = createLineAssembler(emit)
  const err = createLineAssembler(emit)
  for (const [stream, assembler] of [
    [process.stdout, out],
    [process.stderr, err],
  ] as const) {
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      assembler.write(chunk)
      const done = typeof encoding === 'function' ? encoding : callback
      if (typeof done === 'function') queueMicrotask(() => (done as () => void)())
      return true
    }) as Write
  }
  // One call is one record, however many lines it prints.
  const print =
    (level: LogLevel, assembler: typeof out) =>
    (...parts: unknown[]) => {
      assembler.flush()
      emit(parseLogLine(format(...parts), level))
    }
  Object.assign(console, {
    log: print('INFO', out),
    info: print('INFO', out),
    debug: print('DEBUG', out),
    trace: print('DEBUG', err),
    warn: print('WARN', err),
    error: print('ERROR', err),
  })
  return () => {
    out.flush()
    err.flush()
  }
}
