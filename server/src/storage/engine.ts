import type { Compilable, Kysely, RawBuilder } from 'kysely'
import { PatchbayError } from '../core/errors.ts'
import type { Change, Storage } from '../core/storage.ts'
import type { Tables } from './schema.ts'

/**
 * What the repositories need of a database. Queries are built by Kysely and run here, so that SQLite can run a whole
 * unit synchronously inside its group commit and PostgreSQL the same unit inside a transaction.
 */
export interface Engine {
  readonly name: Storage['engine']
  /** Builds queries; never runs one. */
  readonly queries: Kysely<Tables>
  /** Epoch ms by the clock that all processes of this database share, as an expression. */
  clock(): RawBuilder<number>
  read<Row>(query: Compilable<Row>): Promise<Row[]>
  /** One statement, durable when it resolves. */
  writeOne<Row>(query: Compilable<Row>): Promise<Row[]>
  /**
   * All of the unit's steps or none of them, durable when it resolves. The unit may be started again from its
   * beginning (a busy database, a deadlock), so it must do nothing but its steps.
   */
  write<Result>(unit: () => Unit<Result>): Promise<Result>
  onChange(listener: (change: Change) => void): void
  catchUp(): void
  close(): Promise<void>
}

/** Several statements that belong together; each step is answered with its rows. */
export type Unit<Result> = Generator<Step, Result, readonly unknown[]>
type Step =
  | { do: 'run'; query: Compilable<unknown> }
  /** Told to every process once the unit is committed. */
  | { do: 'tell'; change: Change }
  /** Units that name the same lock run one after the other. */
  | { do: 'lock'; name: string }

/** Rows of a statement inside a unit. */
export function* rows<Row>(query: Compilable<Row>): Unit<Row[]> {
  return (yield { do: 'run', query }) as Row[]
}

/** First row of a statement inside a unit. */
export function* row<Row>(query: Compilable<Row>): Unit<Row | undefined> {
  return (yield* rows(query))[0]
}

export function* tell(change: Change): Unit<void> {
  yield { do: 'tell', change }
}

export function* lock(name: string): Unit<void> {
  yield { do: 'lock', name }
}

/** What a refused constraint means to a caller; the same words on both engines. */
export function constraintError(constraint: 'unique' | 'foreign_key', cause: unknown): PatchbayError {
  return constraint === 'unique'
    ? new PatchbayError('conflict', 'It exists already: another entry holds the same id or secret.', { cause })
    : new PatchbayError('not_found', 'The project it belongs to does not exist any more.', { cause })
}

export function closedError(): PatchbayError {
  return new PatchbayError('shutting_down', 'The gateway is shutting down; nothing more is read or stored.')
}
