import type { OAuthApp, OAuthApps } from '../core/storage.ts'
import { type Engine, row, tell } from './engine.ts'
import type { OAuthAppRow } from './schema.ts'

export function oauthApps(engine: Engine): OAuthApps {
  const { queries } = engine
  const ofProject = (projectId: string) =>
    queries.selectFrom('oauth_app').selectAll().where('project_id', '=', projectId)

  return {
    async save(app) {
      return engine.write(function* () {
        const saved = yield* row(
          queries
            .insertInto('oauth_app')
            .values(toRow(app))
            .onConflict((conflict) =>
              conflict.columns(['project_id', 'provider_id']).doUpdateSet({
                client_id: app.clientId,
                client_secret: app.clientSecret,
                updated_at: app.updatedAt,
              }),
            )
            .returningAll(),
        )
        const stored = fromRow(saved as OAuthAppRow)
        yield* tell({ kind: 'oauth_app', id: stored.id })
        return stored
      })
    },

    async get(projectId, providerId) {
      const [found] = await engine.read(ofProject(projectId).where('provider_id', '=', providerId))
      return found && fromRow(found)
    },

    async getById(projectId, id) {
      const [found] = await engine.read(ofProject(projectId).where('id', '=', id))
      return found && fromRow(found)
    },

    async list(projectId) {
      return (await engine.read(ofProject(projectId).orderBy('provider_id'))).map(fromRow)
    },

    async remove(projectId, providerId) {
      return engine.write(function* () {
        const removed = yield* row(
          queries
            .deleteFrom('oauth_app')
            .where('project_id', '=', projectId)
            .where('provider_id', '=', providerId)
            .returning('id'),
        )
        if (removed) yield* tell({ kind: 'oauth_app', id: removed.id })
        return removed !== undefined
      })
    },

    async reseal(id, from, to) {
      return engine.write(function* () {
        const swapped = yield* row(
          queries
            .updateTable('oauth_app')
            .set({ client_secret: to })
            .where('id', '=', id)
            .where('client_secret', '=', from)
            .returning('id'),
        )
        if (swapped) yield* tell({ kind: 'oauth_app', id })
        return swapped !== undefined
      })
    },
  }
}

function toRow(app: OAuthApp): OAuthAppRow {
  return {
    id: app.id,
    project_id: app.projectId,
    provider_id: app.providerId,
    client_id: app.clientId,
    client_secret: app.clientSecret,
    created_at: app.createdAt,
    updated_at: app.updatedAt,
  }
}

function fromRow(found: OAuthAppRow): OAuthApp {
  return {
    id: found.id,
    projectId: found.project_id,
    providerId: found.provider_id,
    clientId: found.client_id,
    clientSecret: found.client_secret,
    createdAt: found.created_at,
    updatedAt: found.updated_at,
  }
}
