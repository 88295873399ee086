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

const SECRET_NAMES: ReadonlySet<string> = new Set(SECRET_MEMBERS.map((name) => name.toLowerCase()))
/** Characters of an error's message that are logged. */
const MAX_MESSAGE = 1_000
/** Objects nested deeper than this are not logged. */
const MAX_DEPTH = 8

/** JSON lines on standard output. Of an error only its kind, message and stack, and those of its causes. */
export function createLog(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: (object) => redacted(object) as Record<string, unknown> },
    redact: {
      paths: SECRET_MEMBERS.flatMap((name) =>
        name.includes('-')
          ? [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]
          : [name, `*.${name}`, `*.headers.${name}`],
      ),
      censor: '[redacted]',
    },
    serializers: { err: plainError, error: plainError },
    hooks: {
      logMethod(given, method) {
        // Without words of its own, a line gets the error's whole message as them.
        const [first, ...words] = given as unknown[]
        const error = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err
        if (words.length === 0 && error instanceof Error)
          method.call(this, first as object, error.message.slice(0, MAX_MESSAGE))
        else method.apply(this, given)
      },
    },
  })
}

/** A copy without secrets at any depth. Only plain objects and lists are looked into; others have their serializers. */
function redacted(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return depth > MAX_DEPTH ? '[…]' : value.map((one) => redacted(one, depth + 1))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  if (depth > MAX_DEPTH) return '{…}'
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      SECRET_NAMES.has(name.toLowerCase()) ? '[redacted]' : redacted(one, depth + 1),
    ]),
  )
}

/** Errors of libraries carry requests, replies and options along; none of that is logged. */
function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: 'a value that is no Error was thrown' }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message.slice(0, MAX_MESSAGE),
    // Without the lines of the message, which is told above and cut there.
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 11)
      .join('\n'),
    ...(error.cause !== undefined && depth < 4 && { cause: plainError(error.cause, depth + 1) }),
  }
}
