import type { Caller } from './caller.ts'
import type { Connector, Tool } from './connector.ts'
import { PatchbayError } from './errors.ts'
import { by, type EventLog } from './event-log.ts'
import type { Catalogue, Connect, ConnectLinksOf } from './gateway.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import { assertConnector, assertUser, mayUseConnector } from './policy.ts'
import { checkedRedirectUrl } from './redirects.ts'
import { readOnlyTools, scopesToAsk } from './scopes.ts'
import { newId, newSecret, secretHash } from './secrets.ts'
import type { ConnectLink, Storage } from './storage.ts'
import type { Strangers } from './strangers.ts'

const LIFE_MS = 10 * 60_000
/** A link made for an error message is handed out again for this long, so that failing calls do not pile up rows. */
const REUSE_MS = 5 * 60_000
const MAX_REUSED = 5_000

export interface ConnectLinks extends ConnectLinksOf {
  /** The address a person follows to mend what a tool call lacks: a connection, or the scopes of `tools`. */
  urlFor(
    caller: Caller,
    need: { userId: string; connectorId: string; connectionId?: string; tools?: readonly string[] },
    requestId: string,
  ): Promise<string>
  /** Ends the link whose page started this connection. */
  finished(connectLinkId: string): Promise<void>
}

export function createConnectLinks(options: {
  storage: Storage
  catalogue: Catalogue
  connect: Pick<Connect, 'start'>
  oauthApps: OAuthAppsOf
  events: EventLog
  strangers: Strangers
  publicUrl: string
  now: () => number
}): ConnectLinks {
  const { storage, catalogue, events, now, publicUrl } = options
  const reusable = new Map<string, { made: Promise<{ id: string; url: string }>; until: number }>()

  const create: ConnectLinksOf['create'] = async (caller, request, requestId) => {
    assertUser(caller, request.userId)
    for (const id of request.connectors ?? []) {
      if (!catalogue.connector(id)) throw new PatchbayError('not_found', `There is no connector "${id}".`)
      assertConnector(caller, id)
    }
    for (const name of request.tools ?? []) {
      if (name !== '*' && !catalogue.tool(name))
        throw new PatchbayError('invalid_input', `"tools": there is no tool "${name.slice(0, 100)}".`)
    }
    const connectors = request.connectors?.length ? request.connectors : (caller.policy.connectors ?? [])
    // An empty list would offer every connector.
    if (caller.policy.connectors && connectors.length === 0)
      throw new PatchbayError('policy_denied', 'This key may use no connector.', { details: { rule: 'connectors' } })
    const project = await storage.projects.get(caller.projectId)
    if (!project) throw new PatchbayError('not_found', 'The project was deleted.')
    const redirectUrl = request.redirectUrl
      ? checkedRedirectUrl(request.redirectUrl, project.redirectUrls, publicUrl)
      : null
    if (
      request.connectionId &&
      !(await storage.connections.get(caller.projectId, request.userId, request.connectionId))
    ) {
      throw new PatchbayError('not_found', `User "${request.userId}" has no connection "${request.connectionId}".`)
    }
    const token = newSecret('cl_')
    const link: ConnectLink = {
      id: newId('link_'),
      hash: secretHash(token),
      projectId: caller.projectId,
      userId: request.userId,
      connectors,
      redirectUrl,
      tools: request.tools ?? [],
      connectionId: request.connectionId ?? null,
      createdAt: now(),
      expiresAt: now() + LIFE_MS,
      browserHash: null,
      usedAt: null,
    }
    await storage.connectLinks.create(link, [
      events.event({
        ...by(caller, requestId),
        type: 'connect_link.created',
        userId: link.userId,
        connectionId: link.connectionId,
        details: { link_id: link.id, connectors: link.connectors },
      }),
    ])
    return { url: `${publicUrl}/connect/${token}`, id: link.id, expiresAt: link.expiresAt }
  }

  async function opened(token: string, browserSecret: string): Promise<ConnectLink> {
    const link = await storage.connectLinks.open(secretHash(token), secretHash(browserSecret), now())
    const gone = (why: string) =>
      new PatchbayError('not_found', `This connect link ${why}.`, {
        fix: { action: 'Ask for a new link where you got this one' },
      })
    if (!link) {
      throw options.strangers.refused(
        'connect_link.opened',
        gone('is not known, or was opened in another browser'),
        null,
      )
    }
    if (link.usedAt !== null) throw gone('was used already')
    if (link.expiresAt <= now()) throw gone('has expired (links last 10 minutes)')
    return link
  }

  /** Names a link asks for that are tools of this connector. */
  function linkToolNames(link: ConnectLink, connector: Connector): string[] {
    return link.tools.filter((name) => name === '*' || catalogue.tool(name)?.connector === connector)
  }

  function linkTools(link: ConnectLink, connector: Connector): Tool[] {
    const names = linkToolNames(link, connector)
    if (names.includes('*')) return Object.values(connector.tools)
    if (names.length === 0) return readOnlyTools(connector)
    return names.flatMap((name) => catalogue.tool(name)?.tool ?? [])
  }

  function callerOf(link: ConnectLink): Caller {
    return {
      projectId: link.projectId,
      role: 'user',
      userId: link.userId,
      actor: { type: 'connect_link', id: link.id },
      policy: link.connectors.length > 0 ? { connectors: link.connectors } : {},
    }
  }

  return {
    create,

    async open(token, browserSecret, requestId) {
      const link = await opened(token, browserSecret)
      const caller = callerOf(link)
      await events.write([
        events.event({
          ...by(caller, requestId),
          type: 'connect_link.opened',
          userId: link.userId,
          connectionId: link.connectionId,
          details: { link_id: link.id },
        }),
      ])
      const project = await storage.projects.get(link.projectId)
      const existing = await storage.connections.list(link.projectId, link.userId)
      const offered = catalogue.connectors().filter((connector) => mayUseConnector(caller.policy, connector.id))
      const connectors = await Promise.all(
        offered.map(async (connector) => {
          const own = existing.filter((one) => one.connectorId === connector.id && one.status !== 'pending')
          const connection =
            own.find((one) => one.id === link.connectionId) ?? own.find((one) => one.isDefault) ?? own[0]
          const configured = await options.oauthApps.configured(link.projectId, connector.provider.id)
          const asked = scopesToAsk(connector, linkTools(link, connector), [], connection?.scopes)
          return { connector, configured, scopes: Object.values(asked).flat(), ...(connection && { connection }) }
        }),
      )
      return { userId: link.userId, projectName: project?.name ?? '', expiresAt: link.expiresAt, connectors }
    },

    async start(token, browserSecret, request, requestId) {
      const link = await opened(token, browserSecret)
      const caller = callerOf(link)
      const connector = catalogue.connector(request.connectorId)
      const own = connector ? linkToolNames(link, connector) : []
      return options.connect.start(
        caller,
        {
          userId: link.userId,
          connectorId: request.connectorId,
          redirectUrl: link.redirectUrl ?? undefined,
          settings: request.settings,
          tools: own.length > 0 ? own : undefined,
          connectionId: link.connectionId ?? undefined,
        },
        requestId,
      )
    },

    async urlFor(caller, need, requestId) {
      const key = JSON.stringify([caller.projectId, need.userId, need.connectorId, need.connectionId, need.tools])
      const known = reusable.get(key)
      if (known && known.until > now()) return (await known.made).url
      if (reusable.size >= MAX_REUSED) reusable.clear()
      // The promise is kept, so that a list of tools that all lack the same asks for one link.
      const made = create(
        caller,
        {
          userId: need.userId,
          connectors: [need.connectorId],
          ...(need.tools && { tools: need.tools }),
          ...(need.connectionId && { connectionId: need.connectionId }),
        },
        requestId,
      )
      reusable.set(key, { made, until: now() + REUSE_MS })
      made.catch(() => reusable.delete(key))
      return (await made).url
    },

    async finished(connectLinkId) {
      await storage.connectLinks.use(connectLinkId, now())
      for (const [key, { made }] of reusable) {
        const link = await made.catch(() => undefined)
        if (link?.id === connectLinkId) reusable.delete(key)
      }
    },
  }
}
