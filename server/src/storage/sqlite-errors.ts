import { PatchbayError } from '../core/errors.ts'
import { constraintError } from './engine.ts'

/** Result codes, https://www.sqlite.org/rescode.html; the low byte is the primary one. */
const BUSY = 5
const UNIQUE = [2067, 1555]
const FOREIGN_KEY = 787

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY
}

/** A refused constraint in the words of the product; everything else as it came. */
export function sqliteError(error: unknown): unknown {
  const code = resultCode(error)
  if (code !== undefined && UNIQUE.includes(code)) return constraintError('unique', error)
  if (code === FOREIGN_KEY) return constraintError('foreign_key', error)
  return error
}

/** Why the database could not be opened, as one sentence that says what to do. */
export function openingError(path: string, error: unknown): PatchbayError {
  if (error instanceof PatchbayError) return error
  const cause = error as NodeJS.ErrnoException
  const say = (sentence: string) => new PatchbayError('not_configured', sentence, { cause: error })
  switch (primaryCode(error)) {
    case 8: // READONLY
    case 14: // CANTOPEN
    case 3: // PERM
      return say(
        `The database ${path} cannot be opened for writing: give the user that runs Patchbay write access to it and to its folder, or set DATA_DIR to another folder.`,
      )
    case 11: // CORRUPT
    case 26: // NOTADB
      return say(
        `The file ${path} is not an intact SQLite database: restore it from a backup, or move it away to start empty.`,
      )
    case 13: // FULL
      return say(`There is no room left to write ${path}: free some disk space, or set DATA_DIR to another folder.`)
    case BUSY:
      return say(
        `The database ${path} stayed locked by another program: end that program, or set DATA_DIR to another folder.`,
      )
  }
  return say(
    `The database ${path} cannot be opened (${cause.code ?? cause.message}): make sure that its folder exists and that the user that runs Patchbay may read and write it, or set DATA_DIR to another folder.`,
  )
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? (error.errcode as number) : undefined
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error)
  return code === undefined ? undefined : code & 0xff
}
