import { sql } from 'kysely'
import type { RefreshIntent } from '../core/connection.ts'
import type { Connections } from '../core/storage.ts'
import { fromConnectionRow, OWNED, tellConnection } from './connection-row.ts'
import { type Engine, row } from './engine.ts'
import { appendEvents } from './events.ts'
import { fromNullableJson, toJson, toNullableJson } from './json.ts'

type Refreshes = Pick<
  Connections,
  'getAsGateway' | 'dueForRefresh' | 'beginRefresh' | 'commitRefresh' | 'failRefresh' | 'listSealed' | 'reseal'
>

/** The part of the connections that the gateway itself works on: leases, refreshed credentials, key rotation. */
export function refreshes(engine: Engine): Refreshes {
  const { queries } = engine

  return {
    async getAsGateway(id) {
      const [found] = await engine.read(queries.selectFrom('connection').selectAll().where('id', '=', id))
      return found && fromConnectionRow(found)
    },

    async dueForRefresh(now, limit, exceptFor = []) {
      const found = await engine.read(
        queries
          .selectFrom('connection')
          .selectAll()
          // In the words of the index `connection_due`: SQLite uses a partial index for nothing else.
          .where(sql<boolean>`status in ('active', 'expiring')`)
          .where('refresh_after', '<=', now)
          .$if(exceptFor.length > 0, (query) => query.where('connector_id', 'not in', exceptFor))
          .where((is) => is.or([is('lease_until', 'is', null), is('lease_until', '<=', engine.clock())]))
          .orderBy('refresh_after')
          .limit(limit),
      )
      return found.map(fromConnectionRow)
    },

    async beginRefresh(id, generation, owner, leaseMs, failures) {
      const [taken] = await engine.writeOne(
        queries
          .updateTable('connection')
          .set((column) => ({
            fence: column('fence', '+', 1),
            lease_until: sql<number>`${engine.clock()} + cast(${leaseMs} as bigint)`,
            interrupted_intent: column.ref('refresh_intent'),
            refresh_intent: intentNow(engine, generation, owner),
          }))
          .where('id', '=', id)
          .where('generation', '=', generation)
          .where('status', 'in', ['active', 'expiring', 'error'])
          .where('credential', 'is not', null)
          .$if(failures !== undefined, (query) => query.where('refresh_failures', '=', failures as number))
          .where((is) => is.or([is('lease_until', 'is', null), is('lease_until', '<=', engine.clock())]))
          .returningAll(),
      )
      if (!taken) return undefined
      return {
        connection: fromConnectionRow(taken),
        interrupted: fromNullableJson<RefreshIntent>(taken.interrupted_intent),
      }
    },

    async commitRefresh(id, generation, fence, granted, events) {
      return engine.write(function* () {
        let update = queries
          .updateTable('connection')
          .set((column) => ({
            credential: granted.credential,
            expires_at: granted.expiresAt,
            refresh_after: granted.refreshAfter,
            scopes: toJson(granted.scopes),
            generation: column('generation', '+', 1),
            status: 'active',
            status_reason: null,
            lease_until: null,
            refresh_intent: null,
            refresh_failures: 0,
            updated_at: engine.clock(),
          }))
          .where('id', '=', id)
          .where('generation', '=', generation)
          // A credential that was forgotten while the provider answered stays forgotten.
          .where('credential', 'is not', null)
        if (fence !== null) update = update.where('fence', '=', fence)
        const updated = yield* row(update.returning(OWNED))
        if (!updated) return false
        yield* appendEvents(engine, events)
        yield* tellConnection(updated)
        return true
      })
    },

    async failRefresh(id, generation, fence, outcome, events) {
      return engine.write(function* () {
        const updated = yield* row(
          queries
            .updateTable('connection')
            .set((column) => ({
              status: outcome.status,
              status_reason: toNullableJson(outcome.reason),
              refresh_after: outcome.refreshAfter,
              refresh_failures: column('refresh_failures', '+', 1),
              lease_until: null,
              ...(!outcome.keepIntent && { refresh_intent: null }),
              updated_at: engine.clock(),
            }))
            .where('id', '=', id)
            .where('generation', '=', generation)
            .where('fence', '=', fence)
            .returning(OWNED),
        )
        if (!updated) return false
        yield* appendEvents(engine, events)
        yield* tellConnection(updated)
        return true
      })
    },

    async listSealed(projectId, afterId, limit) {
      let query = queries
        .selectFrom('connection')
        .select(['id', 'credential'])
        .where('project_id', '=', projectId)
        .where('credential', 'is not', null)
        .$narrowType<{ credential: string }>()
      if (afterId !== null) query = query.where('id', '>', afterId)
      return engine.read(query.orderBy('id').limit(limit))
    },

    async reseal(id, from, to) {
      return engine.write(function* () {
        const swapped = yield* row(
          queries
            .updateTable('connection')
            .set({ credential: to })
            .where('id', '=', id)
            .where('credential', '=', from)
            .returning(OWNED),
        )
        if (swapped) yield* tellConnection(swapped)
        return swapped !== undefined
      })
    },
  }
}

/** The intent as JSON text, put together by the database so that its time is of the same clock as the lease. */
function intentNow(engine: Engine, generation: number, owner: string) {
  const start = `{"generation":${generation},"owner":${JSON.stringify(owner)},"startedAt":`
  return sql<string>`cast(${start} as text) || cast(${engine.clock()} as text) || '}'`
}
