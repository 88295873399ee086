import { sql } from 'kysely'
import { OWNED, tellConnection } from './connection-row.ts'
import { type Engine, lock, row, rows, type Unit } from './engine.ts'

/** Project, user and connector: among the connections that share them one is the default. */
export type Family = readonly [projectId: string, userId: string, connectorId: string]

/** Which one is the default is decided by one unit at a time. */
export function lockDefault(family: Family): Unit<void> {
  return lock(JSON.stringify(['default', ...family]))
}

/** Takes the default from whoever holds it; with `status`, only if that is its status. */
export function* clearDefault(engine: Engine, family: Family, status?: 'pending'): Unit<void> {
  const [projectId, userId, connectorId] = family
  let update = engine.queries
    .updateTable('connection')
    .set({ is_default: 0 })
    .where('project_id', '=', projectId)
    .where('user_id', '=', userId)
    .where('connector_id', '=', connectorId)
    .where('is_default', '=', 1)
  if (status) update = update.where('status', '=', status)
  for (const freed of yield* rows(update.returning(OWNED))) yield* tellConnection(freed)
}

/** Gives a default that nobody holds to the oldest connection, one that was finished first; answers which one. */
export function* fillDefault(engine: Engine, family: Family): Unit<{ id: string } | undefined> {
  const [projectId, userId, connectorId] = family
  const siblings = engine.queries
    .selectFrom('connection')
    .where('project_id', '=', projectId)
    .where('user_id', '=', userId)
    .where('connector_id', '=', connectorId)
  if (yield* row(siblings.select('id').where('is_default', '=', 1))) return undefined
  const heir = yield* row(
    siblings
      .select('id')
      .orderBy(sql`case when status = 'pending' then 1 else 0 end`)
      .orderBy('created_at')
      .orderBy('id')
      .limit(1),
  )
  if (!heir) return undefined
  const filled = yield* row(
    engine.queries.updateTable('connection').set({ is_default: 1 }).where('id', '=', heir.id).returning(OWNED),
  )
  if (filled) yield* tellConnection(filled)
  return filled
}
