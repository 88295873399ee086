import type { Project, Projects } from '../core/storage.ts'
import { type Engine, row, rows, tell } from './engine.ts'
import { fromJson, toJson } from './json.ts'
import type { ProjectRow } from './schema.ts'

export function projects(engine: Engine): Projects {
  const { queries } = engine

  return {
    async create(project) {
      await engine.write(function* () {
        yield* rows(queries.insertInto('project').values(toRow(project)))
        yield* tell({ kind: 'project', id: project.id })
      })
    },

    async get(id) {
      const [found] = await engine.read(queries.selectFrom('project').selectAll().where('id', '=', id))
      return found && fromRow(found)
    },

    async list() {
      const found = await engine.read(queries.selectFrom('project').selectAll().orderBy('created_at').orderBy('id'))
      return found.map(fromRow)
    },

    async update(id, changes) {
      const set = {
        ...(changes.name !== undefined && { name: changes.name }),
        ...(changes.redirectUrls !== undefined && { redirect_urls: toJson(changes.redirectUrls) }),
      }
      if (Object.keys(set).length === 0) return this.get(id)
      return engine.write(function* () {
        const updated = yield* row(queries.updateTable('project').set(set).where('id', '=', id).returningAll())
        if (!updated) return undefined
        yield* tell({ kind: 'project', id })
        return fromRow(updated)
      })
    },

    async remove(id) {
      return engine.write(function* () {
        const removed = yield* row(queries.deleteFrom('project').where('id', '=', id).returning('id'))
        if (!removed) return false
        yield* rows(queries.deleteFrom('event').where('project_id', '=', id))
        yield* tell({ kind: 'project', id })
        // Its keys, connections and instances went with it; no cache may hold on to one of them.
        yield* tell({ kind: 'everything' })
        return true
      })
    },
  }
}

function toRow(project: Project): ProjectRow {
  return {
    id: project.id,
    name: project.name,
    redirect_urls: toJson(project.redirectUrls),
    created_at: project.createdAt,
  }
}

function fromRow(found: ProjectRow): Project {
  return {
    id: found.id,
    name: found.name,
    redirectUrls: fromJson(found.redirect_urls),
    createdAt: found.created_at,
  }
}
