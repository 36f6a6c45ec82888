import pino from 'pino'

export type Logger = pino.Logger

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
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  )
}
