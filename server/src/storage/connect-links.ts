import type { ConnectLink, ConnectLinks } from '../core/storage.ts'
import { type Engine, rows } from './engine.ts'
import { appendEvents } from './events.ts'
import { fromJson, toJson } from './json.ts'
import type { ConnectLinkRow } from './schema.ts'

export function connectLinks(engine: Engine): ConnectLinks {
  const { queries } = engine

  return {
    async create(link, events) {
      await engine.write(function* () {
        yield* rows(queries.insertInto('connect_link').values(toRow(link)))
        yield* appendEvents(engine, events)
      })
    },

    async open(hash, browserHash, now) {
      const [bound] = await engine.writeOne(
        queries
          .updateTable('connect_link')
          .set({ browser_hash: browserHash })
          .where('hash', '=', hash)
          .where('browser_hash', 'is', null)
          .where('used_at', 'is', null)
          .where('expires_at', '>', now)
          .returningAll(),
      )
      if (bound) return fromRow(bound)
      // Used and expired links are answered too, unbound: their page says which of the two it is.
      const [found] = await engine.read(
        queries
          .selectFrom('connect_link')
          .selectAll()
          .where('hash', '=', hash)
          .where((is) => is.or([is('browser_hash', 'is', null), is('browser_hash', '=', browserHash)])),
      )
      return found && fromRow(found)
    },

    async use(id, now) {
      const used = await engine.writeOne(
        queries
          .updateTable('connect_link')
          .set({ used_at: now })
          .where('id', '=', id)
          .where('used_at', 'is', null)
          .returning('id'),
      )
      return used.length === 1
    },

    async removeExpired(before) {
      const removed = await engine.writeOne(
        queries.deleteFrom('connect_link').where('expires_at', '<', before).returning('id'),
      )
      return removed.length
    },
  }
}

function toRow(link: ConnectLink): ConnectLinkRow {
  return {
    id: link.id,
    hash: link.hash,
    project_id: link.projectId,
    user_id: link.userId,
    connectors: toJson(link.connectors),
    redirect_url: link.redirectUrl,
    tools: toJson(link.tools),
    connection_id: link.connectionId,
    created_at: link.createdAt,
    expires_at: link.expiresAt,
    browser_hash: link.browserHash,
    used_at: link.usedAt,
  }
}

function fromRow(found: ConnectLinkRow): ConnectLink {
  return {
    id: found.id,
    hash: found.hash,
    projectId: found.project_id,
    userId: found.user_id,
    connectors: fromJson(found.connectors),
    redirectUrl: found.redirect_url,
    tools: fromJson(found.tools),
    connectionId: found.connection_id,
    createdAt: found.created_at,
    expiresAt: found.expires_at,
    browserHash: found.browser_hash,
    usedAt: found.used_at,
  }
}
