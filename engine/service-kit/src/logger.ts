import { MiB } from '@kre/contracts/runtime'
import pino from 'pino'

export type Logger = pino.Logger

/** What waits for a disk with room; lines beyond it are dropped. */
const UNWRITTEN_BYTES_MAX = MiB

/** JSON lines on `destination` (standard output by default); `level` in pino's words. Fields that hold secrets are masked. */
export function createLogger(
  service: string,
  options: { level?: string; destination?: pino.DestinationStream } = {},
): Logger {
  return pino(
    {
      name: service,
      level: options.level ?? 'info',
      redact: ['password', 'token', '*.password', '*.token', 'authorization', '*.authorization'],
      timestamp: pino.stdTimeFunctions.isoTime,
      // Without it an error is `{}`: its message and its stack are no fields that JSON sees.
      serializers: { error: pino.stdSerializers.err },
    },
    options.destination ?? openStandardOutput(),
  )
}

/** Standard output. A disk that is full, where it ends in a file, must not end who only wants to say something. */
function openStandardOutput(): pino.DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, maxLength: UNWRITTEN_BYTES_MAX })
  // There is nowhere to say it. What could not be written is tried again with the next line.
  output.on('error', () => undefined)
  return output
}
