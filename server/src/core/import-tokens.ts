import { assertUserId, checkedSettings, connectorFor, pendingConnection } from './connect-request.ts'
import type { Token } from './connection.ts'
import { by, type EventLog } from './event-log.ts'
import type { Catalogue, Connect } from './gateway.ts'
import type { Grants } from './grants.ts'
import type { Grant } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import { assertConnector, assertUser } from './policy.ts'
import { newId } from './secrets.ts'
import type { Storage } from './storage.ts'

/** Connections from tokens obtained elsewhere, checked by asking the service who they belong to. */
export function createImport(options: {
  storage: Pick<Storage, 'connections'>
  catalogue: Catalogue
  oauthApps: OAuthAppsOf
  grants: Grants
  events: EventLog
  now: () => number
}): Connect['importTokens'] {
  const { storage, catalogue, events, grants, now } = options
  return async (caller, request, requestId) => {
    assertUser(caller, request.userId)
    assertUserId(request.userId)
    const connector = connectorFor(catalogue, request.connectorId)
    assertConnector(caller, connector.id)
    const tokens: Record<string, Token> = {}
    for (const [name, token] of Object.entries(request.tokens)) tokens[name] = token
    const settings = checkedSettings(connector.provider, request.settings ?? {})
    const app = await options.oauthApps.forProject(caller.projectId, connector.provider.id)
    const [tokenName = 'default'] = Object.keys(tokens)
    const grant: Grant = {
      tokens,
      scopes: request.scopes ? { [tokenName]: request.scopes } : {},
      captured: {},
    }
    const id = newId('conn_')
    const draft = {
      ...pendingConnection(
        { ...by(caller, requestId), userId: request.userId, connectorId: connector.id, connectionId: id, settings },
        request.label ?? connector.name,
        now(),
      ),
      oauthAppId: app?.appId ?? null,
    }
    const account = await grants.accountOf(connector, draft, grant)
    const same = await grants.sameAccount(draft, account)
    const target = same ?? draft
    if (!same) await storage.connections.create(draft, [])
    const imported = events.event({
      ...by(caller, requestId),
      type: 'connection.imported',
      userId: request.userId,
      connectorId: connector.id,
      connectionId: target.id,
      details: { account: account.label, scopes: grant.scopes },
    })
    return grants.store(target, grant, { account, label: request.label, oauthAppId: draft.oauthAppId }, [imported])
  }
}
