import type { Session, Sessions } from '../core/storage.ts'
import { type Engine, row, rows, tell } from './engine.ts'
import { appendEvents } from './events.ts'
import type { SessionRow } from './schema.ts'

export function sessions(engine: Engine): Sessions {
  const { queries } = engine

  return {
    async create(session, events) {
      await engine.write(function* () {
        yield* rows(
          queries.insertInto('session').values({
            hash: session.hash,
            api_key_id: session.apiKeyId,
            project_id: session.projectId,
            created_at: session.createdAt,
            expires_at: session.expiresAt,
          }),
        )
        yield* appendEvents(engine, events)
        yield* tell({ kind: 'session', id: session.hash })
      })
    },

    async find(hash) {
      const [found] = await engine.read(
        queries
          .selectFrom('session')
          .innerJoin('api_key', 'api_key.id', 'session.api_key_id')
          .selectAll('session')
          .where('session.hash', '=', hash)
          .where('api_key.revoked_at', 'is', null)
          .where((is) => is.or([is('api_key.expires_at', 'is', null), is('api_key.expires_at', '>', engine.clock())])),
      )
      return found && fromRow(found)
    },

    async remove(hash, events) {
      await engine.write(function* () {
        const removed = yield* row(queries.deleteFrom('session').where('hash', '=', hash).returning('hash'))
        if (!removed) return
        yield* appendEvents(engine, events)
        yield* tell({ kind: 'session', id: hash })
      })
    },

    async removeExpired(before) {
      const removed = await engine.writeOne(
        queries.deleteFrom('session').where('expires_at', '<', before).returning('hash'),
      )
      return removed.length
    },
  }
}

function fromRow(found: SessionRow): Session {
  return {
    hash: found.hash,
    apiKeyId: found.api_key_id,
    projectId: found.project_id,
    createdAt: found.created_at,
    expiresAt: found.expires_at,
  }
}
