import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { PatchbayError } from '../core/errors.ts'
import type { Change } from '../core/storage.ts'
import { closedError, type Engine, rows } from './engine.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './schema.ts'
import { type ChangeFeed, changeFeed } from './sqlite-changes.ts'
import { isBusy, openingError, sqliteError } from './sqlite-errors.ts'
import { runSyncOn } from './sqlite-statements.ts'
import { groupCommit } from './sqlite-writer.ts'

/** How long the start waits for another process that is making or migrating the file. */
const OPEN_MS = 30_000
/** A short wait inside SQLite; longer ones happen outside it, where the event loop keeps turning. */
const BUSY_TIMEOUT_MS = 4

/**
 * Opens `<dataDir>/patchbay.db`, made with mode 0600 where it is missing, and brings its tables up to date.
 * Throws `not_configured` with one sentence when that cannot be done.
 */
export async function openSqlite(dataDir: string, now: () => number): Promise<Engine> {
  const path = join(dataDir, 'patchbay.db')
  const opened: DatabaseSync[] = []
  try {
    return await open(path, dataDir, now, opened)
  } catch (error) {
    for (const database of opened) if (database.isOpen) database.close()
    throw openingError(path, error)
  }
}

async function open(path: string, dataDir: string, now: () => number, opened: DatabaseSync[]): Promise<Engine> {
  makePrivateFile(path, dataDir)
  const writing = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  opened.push(writing)
  await whenFree(() => prepare(writing, path))

  let feed: ChangeFeed | undefined
  let caughtUp = false
  let closing: Promise<void> | undefined
  const run = runSyncOn(writing)
  const writer = groupCommit(
    writing,
    run,
    (change: Change) => feed?.record(change),
    () => feed?.look(),
  )

  const engine: Engine = {
    name: 'sqlite',
    queries: new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (database) => new SqliteIntrospector(database),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
    clock: () => sql<number>`cast(${now()} as integer)`,
    read: () => Promise.reject(closedError()),
    writeOne: (query) => writer.write(() => rows(query)),
    write: (unit) => writer.write(unit),
    onChange: (listener) => feed?.listen(listener),
    catchUp: () => {
      if (closing || caughtUp) return
      feed?.look()
      // What is committed while this turn of the event loop runs is seen by the next one.
      caughtUp = true
      setImmediate(() => {
        caughtUp = false
      })
    },
    close: () => (closing ??= shut()),
  }
  await migrate(engine)

  const reading = new DatabaseSync(path, { readOnly: true, timeout: 1_000 })
  opened.push(reading)
  const readSync = runSyncOn(reading)
  feed = await whenFree(() => changeFeed(writing, reading))
  engine.read = async <Row>(query: Parameters<typeof readSync>[0]) => {
    if (closing) throw closedError()
    try {
      return readSync(query) as Row[]
    } catch (error) {
      throw sqliteError(error)
    }
  }

  async function shut(): Promise<void> {
    await writer.close()
    reading.close()
    // Last: the handle that may write folds the write-ahead log into the file and removes it.
    writing.close()
  }
  return engine
}

/** SQLite gives its write-ahead log the mode of the database, so the file must be private before it is opened. */
function makePrivateFile(path: string, dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

function prepare(database: DatabaseSync, path: string): void {
  const mode = database.prepare('pragma journal_mode = wal').get()?.['journal_mode']
  if (mode !== 'wal') {
    throw new PatchbayError(
      'not_configured',
      `The file system of ${path} does not support SQLite's write-ahead log: set DATA_DIR to a folder on a local disk, or use DATABASE_URL.`,
    )
  }
  // FULL flushes at every commit: what was acknowledged survives a power cut. Deleted keys are overwritten.
  database.exec('pragma synchronous = full; pragma foreign_keys = on; pragma secure_delete = on')
  database.exec('pragma journal_size_limit = 67108864')
}

/** Switching to the write-ahead log is refused at once while another process does it, whatever the busy timeout. */
async function whenFree<Result>(action: () => Result): Promise<Result> {
  const start = performance.now()
  for (;;) {
    try {
      return action()
    } catch (error) {
      if (!isBusy(error) || performance.now() - start > OPEN_MS) throw error
    }
    await pause(5 + Math.random() * 20)
  }
}
