import type { Role } from '../core/caller.ts'
import type { ApiKey, ApiKeys } from '../core/storage.ts'
import { type Engine, row, rows, tell } from './engine.ts'
import { fromJson, toJson } from './json.ts'
import type { ApiKeyRow } from './schema.ts'

export function apiKeys(engine: Engine): ApiKeys {
  const { queries } = engine

  return {
    async create(key) {
      await engine.write(function* () {
        yield* rows(queries.insertInto('api_key').values(toRow(key)))
        yield* tell({ kind: 'api_key', id: key.id })
      })
    },

    async findByHash(hash) {
      const [found] = await engine.read(queries.selectFrom('api_key').selectAll().where('hash', '=', hash))
      return found && fromRow(found)
    },

    async list(projectId) {
      const found = await engine.read(
        queries
          .selectFrom('api_key')
          .selectAll()
          .where('project_id', '=', projectId)
          .orderBy('created_at', 'desc')
          .orderBy('id', 'desc'),
      )
      return found.map(fromRow)
    },

    async revoke(projectId, id, at) {
      return engine.write(function* () {
        const revoked = yield* row(
          queries
            .updateTable('api_key')
            .set({ revoked_at: at })
            .where('id', '=', id)
            .where('project_id', '=', projectId)
            .where('revoked_at', 'is', null)
            .returning('id'),
        )
        if (revoked) yield* tell({ kind: 'api_key', id })
        return revoked !== undefined
      })
    },

    // Not told as a change: it would drop every cache with every use.
    async touch(id, at) {
      await engine.writeOne(
        queries
          .updateTable('api_key')
          .set({ last_used_at: at })
          .where('id', '=', id)
          .where((is) => is.or([is('last_used_at', 'is', null), is('last_used_at', '<', at)])),
      )
    },
  }
}

function toRow(key: ApiKey): ApiKeyRow {
  return {
    id: key.id,
    project_id: key.projectId,
    name: key.name,
    role: key.role,
    user_id: key.userId,
    hash: key.hash,
    prefix: key.prefix,
    policy: toJson(key.policy),
    expires_at: key.expiresAt,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
  }
}

function fromRow(found: ApiKeyRow): ApiKey {
  return {
    id: found.id,
    projectId: found.project_id,
    name: found.name,
    role: found.role as Role,
    userId: found.user_id,
    hash: found.hash,
    prefix: found.prefix,
    policy: fromJson(found.policy),
    expiresAt: found.expires_at,
    createdAt: found.created_at,
    lastUsedAt: found.last_used_at,
    revokedAt: found.revoked_at,
  }
}
