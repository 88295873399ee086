import type { Authorization, Authorizations } from '../core/storage.ts'
import { type Engine, rows } from './engine.ts'
import { appendEvents } from './events.ts'
import { fromJson, toJson } from './json.ts'
import type { AuthorizationRow } from './schema.ts'

export function authorizations(engine: Engine): Authorizations {
  const { queries } = engine

  return {
    async create(authorization, events) {
      await engine.write(function* () {
        yield* rows(queries.insertInto('authorization').values(toRow(authorization)))
        yield* appendEvents(engine, events)
      })
    },

    async open(startHash, browserHash, now) {
      const [bound] = await engine.writeOne(
        queries
          .updateTable('authorization')
          .set({ browser_hash: browserHash })
          .where('start_hash', '=', startHash)
          .where('used_at', 'is', null)
          .where('expires_at', '>', now)
          .where((is) => is.or([is('browser_hash', 'is', null), is('browser_hash', '=', browserHash)]))
          .returningAll(),
      )
      return bound && fromRow(bound)
    },

    async consume(stateHash, now) {
      const [used] = await engine.writeOne(
        queries
          .updateTable('authorization')
          .set({ used_at: now })
          .where('state_hash', '=', stateHash)
          .where('used_at', 'is', null)
          .returningAll(),
      )
      if (used) return { authorization: fromRow(used), fresh: true }
      const [found] = await engine.read(
        queries.selectFrom('authorization').selectAll().where('state_hash', '=', stateHash),
      )
      return found && { authorization: fromRow(found), fresh: false }
    },

    async removeExpired(before) {
      const removed = await engine.writeOne(
        queries.deleteFrom('authorization').where('expires_at', '<', before).returning('state_hash'),
      )
      return removed.length
    },
  }
}

function toRow(authorization: Authorization): AuthorizationRow {
  return {
    state_hash: authorization.stateHash,
    project_id: authorization.projectId,
    user_id: authorization.userId,
    connector_id: authorization.connectorId,
    provider_id: authorization.providerId,
    connection_id: authorization.connectionId,
    oauth_app_id: authorization.oauthAppId,
    actor: toJson(authorization.actor),
    redirect_url: authorization.redirectUrl,
    opener_origin: authorization.openerOrigin,
    redirect_uri: authorization.redirectUri,
    code_verifier: authorization.codeVerifier,
    browser_hash: authorization.browserHash,
    settings: toJson(authorization.settings),
    scopes: toJson(authorization.scopes),
    allow_other_account: authorization.allowOtherAccount ? 1 : 0,
    start_hash: authorization.startHash,
    created_at: authorization.createdAt,
    expires_at: authorization.expiresAt,
    used_at: authorization.usedAt,
  }
}

function fromRow(found: AuthorizationRow): Authorization {
  return {
    stateHash: found.state_hash,
    projectId: found.project_id,
    userId: found.user_id,
    connectorId: found.connector_id,
    providerId: found.provider_id,
    connectionId: found.connection_id,
    oauthAppId: found.oauth_app_id,
    actor: fromJson(found.actor),
    redirectUrl: found.redirect_url,
    openerOrigin: found.opener_origin,
    redirectUri: found.redirect_uri,
    codeVerifier: found.code_verifier,
    browserHash: found.browser_hash,
    settings: fromJson(found.settings),
    scopes: fromJson(found.scopes),
    allowOtherAccount: found.allow_other_account === 1,
    startHash: found.start_hash,
    createdAt: found.created_at,
    expiresAt: found.expires_at,
    usedAt: found.used_at,
  }
}
