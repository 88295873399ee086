import type { Connection, Credential } from './connection.ts'
import type { Credentials } from './credentials.ts'
import { PatchbayError } from './errors.ts'
import { by, type EventLog } from './event-log.ts'
import type { Catalogue, ConnectionsOf } from './gateway.ts'
import type { OAuthClient, RevokeResult } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import { assertUser, mayUseConnector } from './policy.ts'
import type { Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** A user's connections: look, rename, refresh, disconnect. */
export function createConnections(options: {
  storage: Storage
  vault: Vault
  catalogue: Catalogue
  credentials: Credentials
  oauth: OAuthClient
  oauthApps: OAuthAppsOf
  events: EventLog
}): ConnectionsOf {
  const { storage, events } = options

  const get: ConnectionsOf['get'] = async (caller, userId, id) => {
    assertUser(caller, userId)
    const connection = await storage.connections.get(caller.projectId, userId, id)
    if (!connection || !mayUseConnector(caller.policy, connection.connectorId)) {
      throw new PatchbayError('not_found', `User "${userId}" has no connection "${id}".`)
    }
    return connection
  }

  return {
    get,

    async list(caller, userId, connectorId) {
      assertUser(caller, userId)
      const all = await storage.connections.list(caller.projectId, userId, connectorId ? { connectorId } : {})
      return all.filter((one) => mayUseConnector(caller.policy, one.connectorId))
    },

    async update(caller, userId, id, changes, requestId) {
      const connection = await get(caller, userId, id)
      const event = events.event({
        ...by(caller, requestId),
        type: 'connection.updated',
        userId,
        connectorId: connection.connectorId,
        connectionId: id,
        details: { ...changes },
      })
      const updated = await storage.connections.update(caller.projectId, userId, id, changes, [event])
      if (!updated) throw new PatchbayError('not_found', `User "${userId}" has no connection "${id}".`)
      return updated
    },

    async refresh(caller, userId, id) {
      return options.credentials.refresh(await get(caller, userId, id))
    },

    async disconnect(caller, userId, id, requestId) {
      const connection = await get(caller, userId, id)
      const result = await revoked(connection)
      const event = events.event({
        ...by(caller, requestId),
        type: 'connection.disconnected',
        userId,
        connectorId: connection.connectorId,
        connectionId: id,
        message: result.message,
        details: { account: connection.account?.label ?? null, revoked_at_provider: result.revoked },
      })
      await storage.connections.remove(caller.projectId, userId, id, [event])
      return result
    },
  }

  /** What became of the grant at the provider; never throws, for the local credential goes whatever happens there. */
  async function revoked(connection: Connection): Promise<RevokeResult> {
    const provider = options.catalogue.connector(connection.connectorId)?.provider
    if (!connection.credential || !provider)
      return { supported: false, revoked: false, message: 'There was nothing to revoke.' }
    try {
      if (provider.revoke?.endsWholeGrant && connection.oauthAppId && connection.account) {
        const sharing = await storage.connections.countSharing(
          connection.projectId,
          connection.oauthAppId,
          connection.account.id,
        )
        if (sharing > 1) {
          return {
            supported: true,
            revoked: false,
            message: `Not revoked at ${provider.name}: ${sharing - 1} other connection${sharing > 2 ? 's' : ''} of ${connection.account.label} share this grant and would end with it. The credential was deleted here.`,
          }
        }
      }
      const client = await options.oauthApps.forConnection(connection.projectId, provider.id, connection.oauthAppId)
      if (!client)
        return {
          supported: true,
          revoked: false,
          message: `Not revoked at ${provider.name}: its OAuth app is not set up here any more. The credential was deleted here.`,
        }
      const place = { table: 'connection', row: connection.id, column: 'credential' } as const
      const { tokens } = JSON.parse(
        await options.vault.open(connection.projectId, place, connection.credential),
      ) as Credential
      return await options.oauth.revoke({
        provider,
        client,
        tokens,
        params: connection.settings,
        captured: connection.captured,
      })
    } catch {
      return {
        supported: true,
        revoked: false,
        message: `${provider.name} could not be asked to revoke the access. The credential was deleted here; to be sure, remove the app in the account's own settings.`,
      }
    }
  }
}
