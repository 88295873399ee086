import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Compilable } from 'kysely'
import { checkStorable } from './storable-text.ts'

/** Prepared statements kept per handle; the gateway has about a hundred different ones. */
const KEPT = 256

/** Runs a query on one handle and gives its rows. Statements are prepared once. */
export type RunSync = (query: Compilable<unknown>) => unknown[]

export function runSyncOn(database: DatabaseSync): RunSync {
  const prepared = new Map<string, StatementSync>()

  return (query) => {
    const { sql, parameters } = query.compile()
    checkStorable(parameters)
    let statement = prepared.get(sql)
    if (statement) {
      prepared.delete(sql)
    } else {
      statement = database.prepare(sql)
      if (prepared.size >= KEPT) prepared.delete(prepared.keys().next().value as string)
    }
    prepared.set(sql, statement)
    return statement.all(...(parameters as SQLInputValue[]))
  }
}
