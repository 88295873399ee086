import { sql } from 'kysely'
import { PatchbayError } from '../core/errors.ts'
import type { Connections } from '../core/storage.ts'
import { fromConnectionRow, OWNED, tellConnection, toConnectionRow } from './connection-row.ts'
import { clearDefault, type Family, fillDefault, lockDefault } from './default-connection.ts'
import { type Engine, row, rows } from './engine.ts'
import { appendEvents } from './events.ts'
import { toJson, toNullableJson } from './json.ts'
import { refreshes } from './refreshes.ts'
import { storable } from './storable-text.ts'

/** Rows that one unit of `removePending` deletes: other writes get their turn in between. */
const PENDING_ROWS = 500

export function connections(engine: Engine): Connections {
  const { queries } = engine

  const ofUser = (projectId: string, userId: string) =>
    queries.selectFrom('connection').selectAll().where('project_id', '=', projectId).where('user_id', '=', userId)

  const changeOwn = (projectId: string, userId: string, id: string) =>
    queries
      .updateTable('connection')
      .where('id', '=', id)
      .where('project_id', '=', projectId)
      .where('user_id', '=', userId)

  return {
    ...refreshes(engine),

    async create(connection, events) {
      const family: Family = [connection.projectId, connection.userId, connection.connectorId]
      await engine.write(function* () {
        yield* lockDefault(family)
        const [holder] = yield* rows(
          ofUser(connection.projectId, connection.userId)
            .where('connector_id', '=', connection.connectorId)
            .where('is_default', '=', 1),
        )
        // One that was started and never finished gives way to the first that is really connected.
        const isDefault =
          connection.isDefault || !holder || (holder.status === 'pending' && connection.status !== 'pending')
        if (isDefault) yield* clearDefault(engine, family)
        yield* rows(queries.insertInto('connection').values(toConnectionRow({ ...connection, isDefault })))
        yield* appendEvents(engine, events)
        yield* tellConnection(toConnectionRow(connection))
      })
    },

    async get(projectId, userId, id) {
      const [found] = await engine.read(ofUser(projectId, userId).where('id', '=', id))
      return found && fromConnectionRow(found)
    },

    async list(projectId, userId, filter = {}) {
      let query = ofUser(projectId, userId)
      if (filter.connectorId !== undefined) query = query.where('connector_id', '=', filter.connectorId)
      if (filter.status !== undefined) query = query.where('status', '=', filter.status)
      return (await engine.read(query.orderBy('created_at').orderBy('id'))).map(fromConnectionRow)
    },

    async listProject(projectId, page) {
      let query = queries.selectFrom('connection').selectAll().where('project_id', '=', projectId)
      if (page.userId !== undefined) query = query.where('user_id', '=', page.userId)
      if (page.connectorId !== undefined) query = query.where('connector_id', '=', page.connectorId)
      if (page.status !== undefined) query = query.where('status', '=', page.status)
      if (page.cursor !== undefined) {
        const [last] = await engine.read(
          queries
            .selectFrom('connection')
            .select(['created_at', 'id'])
            .where('project_id', '=', projectId)
            .where('id', '=', page.cursor),
        )
        // Without this a page after a deleted connection would look like the end of the list.
        if (!last) {
          throw new PatchbayError('invalid_input', '`cursor` names a connection that is gone; start again without it.')
        }
        query = query.where(sql<boolean>`(created_at, id) < (${last.created_at}, ${last.id})`)
      }
      const found = await engine.read(query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(page.limit))
      return found.map(fromConnectionRow)
    },

    async listUsers(projectId, limit) {
      const found = await engine.read(
        queries
          .selectFrom('connection')
          .select('user_id')
          .distinct()
          .where('project_id', '=', projectId)
          .orderBy('user_id')
          .limit(limit),
      )
      return found.map((user) => user.user_id)
    },

    async update(projectId, userId, id, changes, events) {
      return engine.write(function* () {
        const own = yield* row(ofUser(projectId, userId).where('id', '=', id))
        if (!own) return undefined
        if (changes.isDefault) {
          const family: Family = [projectId, userId, own.connector_id]
          yield* lockDefault(family)
          yield* clearDefault(engine, family)
        }
        const updated = yield* row(
          changeOwn(projectId, userId, id)
            .set({
              ...(changes.label !== undefined && { label: storable(changes.label) }),
              ...(changes.isDefault && { is_default: 1 }),
              updated_at: engine.clock(),
            })
            .returningAll(),
        )
        if (!updated) return undefined
        yield* appendEvents(engine, events)
        yield* tellConnection(updated)
        return fromConnectionRow(updated)
      })
    },

    async authorise(projectId, userId, id, granted, events) {
      return engine.write(function* () {
        const own = yield* row(ofUser(projectId, userId).where('id', '=', id))
        if (!own) return undefined
        const family: Family = [projectId, userId, own.connector_id]
        yield* lockDefault(family)
        const updated = yield* row(
          changeOwn(projectId, userId, id)
            .set((column) => ({
              label: storable(granted.label),
              account: toNullableJson(granted.account),
              account_id: storable(granted.account?.id ?? null),
              settings: toJson(granted.settings),
              captured: toJson(granted.captured),
              scopes: toJson(granted.scopes),
              credential: granted.credential,
              expires_at: granted.expiresAt,
              refresh_after: granted.refreshAfter,
              oauth_app_id: granted.oauthAppId,
              status: 'active',
              status_reason: null,
              generation: column('generation', '+', 1),
              // Whoever holds the lease is refreshing a grant that has just been replaced.
              fence: column('fence', '+', 1),
              lease_until: null,
              refresh_intent: null,
              refresh_failures: 0,
              updated_at: engine.clock(),
            }))
            .returningAll(),
        )
        if (!updated) return undefined
        yield* clearDefault(engine, family, 'pending')
        const filled = yield* fillDefault(engine, family)
        yield* appendEvents(engine, events)
        yield* tellConnection(updated)
        return fromConnectionRow(filled?.id === id ? { ...updated, is_default: 1 } : updated)
      })
    },

    async setStatus(id, generation, status, reason, events, forget = false) {
      return engine.write(function* () {
        const updated = yield* row(
          queries
            .updateTable('connection')
            .set((column) => ({
              status,
              status_reason: toNullableJson(reason),
              ...(forget && {
                credential: null,
                expires_at: null,
                refresh_after: null,
                fence: column('fence', '+', 1),
                lease_until: null,
                refresh_intent: null,
              }),
              updated_at: engine.clock(),
            }))
            .where('id', '=', id)
            .where('generation', '=', generation)
            .returning(OWNED),
        )
        if (!updated) return false
        yield* appendEvents(engine, events)
        yield* tellConnection(updated)
        return true
      })
    },

    async removePending(before) {
      for (let count = 0; ; ) {
        const removed = await engine.write(function* () {
          const unfinished = yield* rows(
            queries
              .deleteFrom('connection')
              .where('id', 'in', (old) =>
                old
                  .selectFrom('connection')
                  .select('id')
                  .where(sql<boolean>`status = 'pending'`)
                  .where('credential', 'is', null)
                  .where('created_at', '<', before)
                  .limit(PENDING_ROWS),
              )
              .where('status', '=', 'pending')
              .returning([...OWNED, 'connector_id', 'is_default']),
          )
          for (const each of unfinished) {
            const family: Family = [each.project_id, each.user_id, each.connector_id]
            if (each.is_default === 1) {
              yield* lockDefault(family)
              yield* fillDefault(engine, family)
            }
            yield* tellConnection(each)
          }
          return unfinished.length
        })
        count += removed
        if (removed < PENDING_ROWS) return count
      }
    },

    async remove(projectId, userId, id, events) {
      return engine.write(function* () {
        const own = yield* row(ofUser(projectId, userId).where('id', '=', id))
        if (!own) return false
        const family: Family = [projectId, userId, own.connector_id]
        yield* lockDefault(family)
        const removed = yield* row(queries.deleteFrom('connection').where('id', '=', id).returning('id'))
        if (!removed) return false
        yield* fillDefault(engine, family)
        yield* appendEvents(engine, events)
        yield* tellConnection(own)
        return true
      })
    },

    async countSharing(projectId, oauthAppId, accountId) {
      const [found] = await engine.read(
        queries
          .selectFrom('connection')
          .select((column) => column.fn.countAll<number>().as('count'))
          .where('project_id', '=', projectId)
          .where('oauth_app_id', '=', oauthAppId)
          .where('account_id', '=', accountId)
          .where('status', 'in', ['active', 'expiring']),
      )
      return found?.count ?? 0
    },
  }
}
