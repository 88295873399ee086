import type { DataKey, DataKeys } from '../core/storage.ts'
import { type Engine, row, rows, tell } from './engine.ts'
import type { DataKeyRow } from './schema.ts'

export function dataKeys(engine: Engine): DataKeys {
  const { queries } = engine

  return {
    async create(key) {
      await engine.write(function* () {
        yield* rows(
          queries.insertInto('data_key').values({
            id: key.id,
            project_id: key.projectId,
            wrapped: key.wrapped,
            created_at: key.createdAt,
          }),
        )
        yield* tell({ kind: 'data_key', id: key.id })
      })
    },

    async list(projectId) {
      const found = await engine.read(
        queries
          .selectFrom('data_key')
          .selectAll()
          .where('project_id', '=', projectId)
          .orderBy('created_at', 'desc')
          .orderBy('id', 'desc'),
      )
      return found.map(fromRow)
    },

    async rewrap(id, from, to) {
      return engine.write(function* () {
        const swapped = yield* row(
          queries
            .updateTable('data_key')
            .set({ wrapped: to })
            .where('id', '=', id)
            .where('wrapped', '=', from)
            .returning('id'),
        )
        if (swapped) yield* tell({ kind: 'data_key', id })
        return swapped !== undefined
      })
    },

    async remove(id) {
      await engine.write(function* () {
        const removed = yield* row(queries.deleteFrom('data_key').where('id', '=', id).returning('id'))
        if (removed) yield* tell({ kind: 'data_key', id })
      })
    },
  }
}

function fromRow(found: DataKeyRow): DataKey {
  return { id: found.id, projectId: found.project_id, wrapped: found.wrapped, createdAt: found.created_at }
}
