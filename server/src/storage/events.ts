import { type Compilable, type CompiledQuery, sql } from 'kysely'
import type { Actor } from '../core/caller.ts'
import type { Event, EventType } from '../core/events.ts'
import type { EventFilter, Events } from '../core/storage.ts'
import { type Engine, rows, type Unit } from './engine.ts'
import { fromNullableJson, toNullableJson } from './json.ts'
import type { EventRow } from './schema.ts'
import { storable } from './storable-text.ts'

/** Rows that one statement inserts at most. */
const INSERT_ROWS = 64
const STREAM_PAGE = 500
/** Rows that one statement deletes at most: other writes get their turn in between. */
const DELETE_ROWS = 2_000

export function events(engine: Engine): Events {
  const { queries } = engine

  function filtered(projectId: string, filter: EventFilter) {
    let query = queries.selectFrom('event').selectAll().where('project_id', '=', projectId)
    if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId)
    if (filter.userIds?.length === 0) query = query.where(sql<boolean>`1 = 0`)
    else if (filter.userIds) query = query.where('user_id', 'in', filter.userIds)
    if (filter.connectorId !== undefined) query = query.where('connector_id', '=', filter.connectorId)
    if (filter.connectionId !== undefined) query = query.where('connection_id', '=', filter.connectionId)
    if (filter.tool !== undefined) query = query.where('tool', '=', filter.tool)
    if (filter.types && filter.types.length > 0) query = query.where('type', 'in', filter.types)
    if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
    if (filter.requestId !== undefined) query = query.where('request_id', '=', filter.requestId)
    if (filter.from !== undefined) query = query.where('at', '>=', filter.from)
    if (filter.to !== undefined) query = query.where('at', '<=', filter.to)
    return query
  }

  return {
    async append(list) {
      if (list.length > 0) await engine.write(() => appendEvents(engine, list))
    },

    async list(projectId, filter) {
      let query = filtered(projectId, filter)
      if (filter.cursor !== undefined) query = query.where('id', '<', filter.cursor)
      return (await engine.read(query.orderBy('id', 'desc').limit(filter.limit))).map(fromRow)
    },

    async *stream(projectId, filter) {
      for (let after: string | undefined; ; ) {
        let query = filtered(projectId, filter)
        if (after !== undefined) query = query.where('id', '>', after)
        const page = await engine.read(query.orderBy('id').limit(STREAM_PAGE))
        for (const found of page) yield fromRow(found)
        after = page.at(-1)?.id
        if (page.length < STREAM_PAGE) return
      }
    },

    async removeOlder(projectId, before) {
      for (let count = 0; ; ) {
        const removed = await engine.writeOne(
          queries
            .deleteFrom('event')
            .where('project_id', '=', projectId)
            .where('id', 'in', (old) =>
              old
                .selectFrom('event')
                .select('id')
                .where('project_id', '=', projectId)
                .where('at', '<', before)
                .limit(DELETE_ROWS),
            )
            .returning('id'),
        )
        count += removed.length
        if (removed.length < DELETE_ROWS) return count
      }
    },
  }
}

/**
 * Adds events inside a unit. One that is there already is left alone, so that a caller who never heard of its commit
 * may send it again.
 */
export function* appendEvents(engine: Engine, list: readonly Event[]): Unit<void> {
  for (let start = 0; start < list.length; ) {
    // Powers of two: a handful of statements serve groups of every size.
    const size = Math.min(INSERT_ROWS, 2 ** Math.floor(Math.log2(list.length - start)))
    const group = list.slice(start, start + size).map(toRow)
    yield* rows(insertOf(engine, group))
    start += size
  }
}

/** Per engine, the insert of so many rows: building it anew would cost more than running it. */
const inserts = new WeakMap<Engine, Map<number, CompiledQuery<unknown>>>()

function insertOf(engine: Engine, group: readonly EventRow[]): Compilable<unknown> {
  let known = inserts.get(engine)
  if (!known) {
    known = new Map()
    inserts.set(engine, known)
  }
  let query = known.get(group.length)
  if (!query) {
    query = engine.queries
      .insertInto('event')
      .values(group)
      .onConflict((conflict) => conflict.columns(['project_id', 'id']).doNothing())
      .compile()
    known.set(group.length, query)
  }
  // Kysely binds row by row, in the order of the first row's members; `toRow` gives every row the same order.
  const filled = { ...query, parameters: group.flatMap((each) => Object.values(each)) }
  return { compile: () => filled }
}

function toRow(event: Event): EventRow {
  return {
    id: event.id,
    project_id: event.projectId,
    at: event.at,
    type: event.type,
    outcome: event.outcome,
    actor_type: event.actor.type,
    actor_id: storable(event.actor.id),
    user_id: storable(event.userId),
    connector_id: storable(event.connectorId),
    connection_id: storable(event.connectionId),
    tool: storable(event.tool),
    code: storable(event.code),
    message: storable(event.message),
    duration_ms: event.durationMs === null ? null : Math.round(event.durationMs),
    request_id: storable(event.requestId),
    details: toNullableJson(event.details),
  }
}

function fromRow(found: EventRow): Event {
  return {
    id: found.id,
    projectId: found.project_id,
    at: found.at,
    type: found.type as EventType,
    outcome: found.outcome as Event['outcome'],
    actor: { type: found.actor_type as Actor['type'], id: found.actor_id },
    userId: found.user_id,
    connectorId: found.connector_id,
    connectionId: found.connection_id,
    tool: found.tool,
    code: found.code,
    message: found.message,
    durationMs: found.duration_ms,
    requestId: found.request_id,
    details: fromNullableJson(found.details),
  }
}
