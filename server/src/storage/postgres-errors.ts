import { PatchbayError } from '../core/errors.ts'
import { constraintError } from './engine.ts'

/** SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE = '23505'
const FOREIGN_KEY = '23503'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const WRONG_PASSWORD = '28P01'
const WRONG_USER = '28000'
const NO_DATABASE = '3D000'
const NO_PRIVILEGE = '42501'
const NO_SCHEMA = '3F000'

/** A refused constraint in the words of the product; everything else as it came. */
export function postgresError(error: unknown): unknown {
  const code = codeOf(error)
  if (code === UNIQUE) return constraintError('unique', error)
  if (code === FOREIGN_KEY) return constraintError('foreign_key', error)
  return error
}

/** Another transaction won; the same unit may succeed when it is tried again. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error)
  return code === SERIALIZATION_FAILURE || code === DEADLOCK
}

/** The connection is gone: the server said so (class 08, 57P0x), or nothing answered that has an SQLSTATE. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof PatchbayError) return false
  const code = codeOf(error)
  return code === undefined || !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('08') || code.startsWith('57P0')
}

/** Why the database could not be opened, as one sentence that says what to do. */
export function openingError(databaseUrl: string, error: unknown): PatchbayError {
  if (error instanceof PatchbayError) return error
  const say = (sentence: string) => new PatchbayError('not_configured', sentence, { cause: error })
  const { hostname, port, pathname, searchParams, username } = new URL(databaseUrl)
  const host = hostname || searchParams.get('host') || 'localhost'
  const place = `PostgreSQL at ${host}:${port || 5432}`
  const name = decodeURIComponent(pathname.slice(1))
  const code = codeOf(error)
  switch (code) {
    case WRONG_PASSWORD:
    case WRONG_USER:
      return say(
        `${place} refused the user "${decodeURIComponent(username)}": correct the user and password in DATABASE_URL.`,
      )
    case NO_DATABASE:
      return say(`${place} has no database "${name}": create it, or correct the name in DATABASE_URL.`)
    case NO_PRIVILEGE:
    case NO_SCHEMA:
      return say(
        `The user of DATABASE_URL may not create tables in the database "${name}" of ${place}: grant it CREATE on its schema.`,
      )
  }
  const detail = code ?? (error instanceof Error ? error.message : String(error))
  if (isConnectionLoss(error)) {
    return say(
      `${place} cannot be reached (${detail}): make sure that it runs and that DATABASE_URL names its address.`,
    )
  }
  return say(`${place} could not be set up (${detail}: ${(error as Error).message}); its log has more.`)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
