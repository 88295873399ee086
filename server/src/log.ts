import { type Logger, pino } from 'pino'
import type { LogLevel } from './config.ts'

/** Members that may hold a secret, wherever an object is logged; secrets are not logged, this is the second fence. */
const SECRET_MEMBERS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'password',
  'secret',
  'client_secret',
  'clientSecret',
  'access_token',
  'accessToken',
  'refresh_token',
  'refreshToken',
  'credential',
  'token',
]

/** JSON lines on standard output. Of an error only its kind, message and stack, and those of its causes. */
export function createLog(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_MEMBERS.flatMap((name) =>
        name.includes('-')
          ? [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]
          : [name, `*.${name}`, `*.headers.${name}`],
      ),
      censor: '[redacted]',
    },
    serializers: { err: plainError, error: plainError },
  })
}

/** Errors of libraries carry requests, replies and options along; none of that is logged. */
function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is no Error was thrown' }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message.slice(0, 1000),
    stack: error.stack?.split('\n').slice(1, 12).join('\n'),
    ...(error.cause !== undefined && depth < 4 && { cause: plainError(error.cause, depth + 1) }),
  }
}
