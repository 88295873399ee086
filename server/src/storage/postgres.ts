import { setTimeout as pause } from 'node:timers/promises'
import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import pg from 'pg'
import { PatchbayError } from '../core/errors.ts'
import type { Change } from '../core/storage.ts'
import { closedError, type Engine, type Unit } from './engine.ts'
import { migrate } from './migrate.ts'
import { type ChangeChannel, openChangeChannel } from './postgres-changes.ts'
import { isConflict, isConnectionLoss, openingError, postgresError } from './postgres-errors.ts'
import type { Tables } from './schema.ts'
import { checkStorable } from './storable-text.ts'

/** Eight processes stay below the 100 connections of an untouched PostgreSQL. */
const POOL_SIZE = 10
const STATEMENT_MS = 15_000
/** A lost process must not hold its locks for long. */
const IDLE_IN_TRANSACTION_MS = 30_000
/** Connecting, or waiting for one of the pool to be free. */
const CONNECT_MS = 30_000
/** Times a unit starts again after losing against another one. */
const ATTEMPTS = 6

/**
 * Opens a pool and a channel for changes, and brings the tables up to date in the first schema of the search path.
 * Throws `not_configured` with one sentence when that cannot be done; it never holds the password.
 */
export async function openPostgres(databaseUrl: string): Promise<Engine> {
  const config = configOf(databaseUrl)
  const pool = new pg.Pool({
    ...config,
    max: POOL_SIZE,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types: { getTypeParser: parserOf },
  })
  // A connection that breaks while idle is replaced by the pool; the one in use reports by its query.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    return await open(pool, config)
  } catch (error) {
    await pool.end()
    throw openingError(databaseUrl, error)
  }
}

async function open(pool: pg.Pool, config: pg.ClientConfig): Promise<Engine> {
  const listeners: ((change: Change) => void)[] = []
  const tell = (change: Change) => {
    for (const listener of listeners) listener(change)
  }
  let channel: ChangeChannel | undefined
  let closing: Promise<void> | undefined

  async function run<Row>(on: pg.Pool | pg.PoolClient, query: Compilable<Row>): Promise<Row[]> {
    const { sql: text, parameters } = query.compile()
    checkStorable(parameters)
    return (await on.query({ text, values: parameters as unknown[] })).rows as Row[]
  }

  async function read<Row>(query: Compilable<Row>): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      if (closing) throw closedError()
      try {
        return await run(pool, query)
      } catch (error) {
        // The pool may hand out connections that have broken unnoticed; reading again harms nobody.
        if (!isConnectionLoss(error) || attempt > POOL_SIZE) throw postgresError(error)
      }
    }
  }

  async function inTransaction<Result>(client: pg.PoolClient, unit: Unit<Result>) {
    const changes: Change[] = []
    let step = unit.next([])
    while (!step.done) {
      const { value } = step
      if (value.do === 'tell') changes.push(value.change)
      if (value.do === 'lock') {
        const name = `patchbay/${value.name}`
        await client.query('select pg_advisory_xact_lock(hashtextextended(current_schema() || $1, 0))', [name])
      }
      step = unit.next(value.do === 'run' ? await run(client, value.query) : [])
    }
    // Sent by the server to every listener when, and only when, this commits.
    if (changes.length > 0) await channel?.announce(client, changes)
    await client.query('commit')
    return { result: step.value, changes }
  }

  async function write<Result>(unit: () => Unit<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      if (closing) throw closedError()
      const client = await begun()
      let broken: Error | undefined
      try {
        const { result, changes } = await inTransaction(client, unit())
        for (const change of changes) tell(change)
        return result
      } catch (error) {
        await client.query('rollback').catch((failure: Error) => {
          broken = failure
        })
        if (!isConflict(error) || attempt === ATTEMPTS) throw postgresError(error)
      } finally {
        client.release(broken)
      }
      await pause(Math.random() * 10 * 2 ** attempt)
    }
  }

  /** A connection with a transaction on it; one that has broken unnoticed is passed over, since nothing is lost yet. */
  async function begun(): Promise<pg.PoolClient> {
    for (let attempt = 1; ; attempt++) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        return client
      } catch (error) {
        client.release(error as Error)
        if (!isConnectionLoss(error) || attempt > POOL_SIZE) throw error
      }
    }
  }

  const engine: Engine = {
    name: 'postgres',
    queries: new Kysely<Tables>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (database) => new PostgresIntrospector(database),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    }),
    // One reading for every expression of a statement, so that a lease is exactly as long as its intent says.
    clock: () => sql<number>`cast(extract(epoch from statement_timestamp()) * 1000 as bigint)`,
    read,
    async writeOne(query) {
      if (closing) throw closedError()
      return run(pool, query).catch((error) => {
        throw postgresError(error)
      })
    },
    write,
    onChange: (listener) => listeners.push(listener),
    catchUp: () => {},
    close() {
      closing ??= (async () => {
        await channel?.close()
        await pool.end()
      })()
      return closing
    },
  }
  await migrate(engine)
  channel = await openChangeChannel(config, tell)
  return engine
}

function configOf(databaseUrl: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
    throw new PatchbayError(
      'not_configured',
      'DATABASE_URL is not the address of a PostgreSQL database: write it as postgres://user:password@host:5432/name, or leave it out to use SQLite.',
    )
  }
  return {
    connectionString: databaseUrl,
    application_name: 'patchbay',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  }
}

const INT8 = 20
const JSON_TEXT = 114

/** 64-bit integers are our times and counts, far below 2^53; JSON stays text, as SQLite gives it. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8) return Number
  if (oid === JSON_TEXT) return (text: string) => text
  return pg.types.getTypeParser(oid, format as 'text')
}
