import type { Instance, Instances } from '../core/storage.ts'
import { type Engine, row, rows, tell } from './engine.ts'
import { appendEvents } from './events.ts'
import { fromJson, toJson } from './json.ts'
import type { InstanceRow } from './schema.ts'

export function instances(engine: Engine): Instances {
  const { queries } = engine

  return {
    async create(instance, events) {
      await engine.write(function* () {
        yield* rows(queries.insertInto('instance').values(toRow(instance)))
        yield* appendEvents(engine, events)
        yield* tell({ kind: 'instance', id: instance.id })
      })
    },

    async get(projectId, userId, id) {
      const [found] = await engine.read(
        queries
          .selectFrom('instance')
          .selectAll()
          .where('id', '=', id)
          .where('project_id', '=', projectId)
          .where('user_id', '=', userId),
      )
      return found && fromRow(found)
    },

    async getForToken(id) {
      const [found] = await engine.read(queries.selectFrom('instance').selectAll().where('id', '=', id))
      return found && fromRow(found)
    },

    async list(projectId, userId) {
      let query = queries.selectFrom('instance').selectAll().where('project_id', '=', projectId)
      if (userId !== undefined) query = query.where('user_id', '=', userId)
      return (await engine.read(query.orderBy('created_at', 'desc').orderBy('id', 'desc'))).map(fromRow)
    },

    async update(projectId, userId, id, changes, events) {
      return engine.write(function* () {
        const updated = yield* row(
          queries
            .updateTable('instance')
            .set({
              ...(changes.name !== undefined && { name: changes.name }),
              ...(changes.policy !== undefined && { policy: toJson(changes.policy) }),
              ...(changes.tokenHash !== undefined && { token_hash: changes.tokenHash }),
              ...(changes.tokenPrefix !== undefined && { token_prefix: changes.tokenPrefix }),
              updated_at: engine.clock(),
            })
            .where('id', '=', id)
            .where('project_id', '=', projectId)
            .where('user_id', '=', userId)
            .returningAll(),
        )
        if (!updated) return undefined
        yield* appendEvents(engine, events)
        yield* tell({ kind: 'instance', id })
        return fromRow(updated)
      })
    },

    async remove(projectId, userId, id, events) {
      return engine.write(function* () {
        const removed = yield* row(
          queries
            .deleteFrom('instance')
            .where('id', '=', id)
            .where('project_id', '=', projectId)
            .where('user_id', '=', userId)
            .returning('id'),
        )
        if (!removed) return false
        yield* appendEvents(engine, events)
        yield* tell({ kind: 'instance', id })
        return true
      })
    },

    // Not told as a change: it would drop every cache with every use.
    async touch(id, at) {
      await engine.writeOne(
        queries
          .updateTable('instance')
          .set({ last_used_at: at })
          .where('id', '=', id)
          .where((is) => is.or([is('last_used_at', 'is', null), is('last_used_at', '<', at)])),
      )
    },
  }
}

function toRow(instance: Instance): InstanceRow {
  return {
    id: instance.id,
    project_id: instance.projectId,
    user_id: instance.userId,
    name: instance.name,
    token_hash: instance.tokenHash,
    token_prefix: instance.tokenPrefix,
    policy: toJson(instance.policy),
    created_at: instance.createdAt,
    updated_at: instance.updatedAt,
    last_used_at: instance.lastUsedAt,
  }
}

function fromRow(found: InstanceRow): Instance {
  return {
    id: found.id,
    projectId: found.project_id,
    userId: found.user_id,
    name: found.name,
    tokenHash: found.token_hash,
    tokenPrefix: found.token_prefix,
    policy: fromJson(found.policy),
    createdAt: found.created_at,
    updatedAt: found.updated_at,
    lastUsedAt: found.last_used_at,
  }
}
