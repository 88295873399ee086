import { createAdmin, DEFAULT_PROJECT } from './admin.ts'
import { createBreaker } from './breaker.ts'
import type { Caller } from './caller.ts'
import { createCallers } from './callers.ts'
import { createConnect } from './connect.ts'
import { createConnectLinks } from './connect-links.ts'
import { createConnectionCache } from './connection-cache.ts'
import { createConnections } from './connections.ts'
import { createCredentials } from './credentials.ts'
import { createEventLog, type EventLog } from './event-log.ts'
import type { Catalogue, Connect, EventsOf, Gateway } from './gateway.ts'
import type { Http } from './http.ts'
import { createInstances } from './instances.ts'
import type { ClientCredentials, OAuthClient } from './oauth.ts'
import { createOAuthApps } from './oauth-apps.ts'
import { assertUser } from './policy.ts'
import { REFRESH_LEASE_MS } from './refresh.ts'
import { createRefresher, type Refresher } from './refresher.ts'
import { serviceFor } from './service.ts'
import { createSessions } from './sessions.ts'
import type { EventFilter, Storage } from './storage.ts'
import { createStrangers } from './strangers.ts'
import { createTools, type ToolLimits } from './tools.ts'
import { createVault, type Keyring, type Vault } from './vault.ts'

export interface GatewayOptions {
  storage: Storage
  keyring: Keyring
  catalogue: Catalogue
  oauth: OAuthClient
  http: Http
  /** Provider id → OAuth app of the environment. */
  environmentApps: Readonly<Record<string, ClientCredentials>>
  /** Without a trailing slash. */
  publicUrl: string
  pageOrigins: readonly string[]
  version: string
  /** Names this process in leases. */
  owner: string
  limits: ToolLimits
  now?: () => number
  /** How long a refresh may hold its row, ms. */
  leaseMs?: number
  onTrouble: (what: string, error: unknown) => void
  onCall?: (tool: string, outcome: string, ms: number) => void
}

export interface RunningGateway extends Gateway {
  vault: Vault
  eventLog: EventLog
  refresher: Refresher
  /** From now on health says so; calls under way go on. */
  beginShutdown(): void
}

/** The core, wired. Starts nothing by itself. */
export function createGateway(options: GatewayOptions): RunningGateway {
  const { storage, catalogue, http, oauth, publicUrl } = options
  const now = options.now ?? Date.now
  const startedAt = now()
  let shuttingDown = false

  const vault = createVault(options.keyring, storage)
  const events = createEventLog({
    storage,
    now,
    onTrouble: (error, waiting) => options.onTrouble(`writing events (${waiting} waiting)`, error),
  })
  const oauthApps = createOAuthApps({ storage, vault, environment: options.environmentApps })
  const callers = createCallers({ storage, now })
  const credentials = createCredentials({
    storage,
    vault,
    catalogue,
    oauth,
    oauthApps,
    events,
    now,
    owner: options.owner,
    leaseMs: options.leaseMs ?? REFRESH_LEASE_MS,
  })
  // Keyed by connection: one user's failing account opens no breaker of another's.
  const breaker = createBreaker(
    (error) => error instanceof Error && error.name !== 'AbortError' && !isCallersDoing(error),
    now,
  )
  const authorised: Parameters<typeof createTools>[0]['serviceFor'] = (call) => serviceFor({ ...call, http, breaker })

  const strangers = createStrangers({ events, projectId: DEFAULT_PROJECT, now })
  const connect: Connect = createConnect({
    storage,
    vault,
    catalogue,
    oauth,
    oauthApps,
    events,
    strangers,
    serviceFor: authorised,
    http,
    publicUrl,
    pageOrigins: options.pageOrigins,
    now,
    linkFinished: (id) => connectLinks.finished(id),
  })
  const connectLinks = createConnectLinks({
    storage,
    catalogue,
    connect,
    oauthApps,
    events,
    strangers,
    publicUrl,
    now,
  })
  const tools = createTools({
    catalogue,
    connections: createConnectionCache(storage),
    credentials,
    serviceFor: authorised,
    connectLinks,
    events,
    now,
    limits: options.limits,
    ...(options.onCall && { onCall: options.onCall }),
  })

  return {
    catalogue,
    callers,
    connect,
    connectLinks,
    tools,
    connections: createConnections({ storage, vault, catalogue, credentials, oauth, oauthApps, events }),
    instances: createInstances({ storage, events, now }),
    sessions: createSessions({ storage, callers, events, now }),
    admin: createAdmin({
      storage,
      vault,
      catalogue,
      oauthApps,
      environmentApps: options.environmentApps,
      events,
      publicUrl,
      now,
    }),
    events: eventsOf(storage),
    async health() {
      const ok = await storage.ping().then(
        () => true,
        () => false,
      )
      return {
        status: shuttingDown ? 'shutting_down' : ok ? 'ok' : 'degraded',
        storage: { engine: storage.engine, ok },
        version: options.version,
        uptimeSeconds: Math.round((now() - startedAt) / 1000),
      }
    },
    vault,
    eventLog: events,
    refresher: createRefresher({
      storage,
      credentials,
      catalogue,
      now,
      onTrouble: (error) => options.onTrouble('refreshing ahead of expiry', error),
    }),
    beginShutdown() {
      shuttingDown = true
    },
  }
}

/** A caller that leaves, or a limit of ours, says nothing about the service. */
function isCallersDoing(error: Error): boolean {
  return 'code' in error && ['cancelled', 'egress_refused', 'too_large'].includes(String(error.code))
}

/** A caller bound to a user, or to some, reads the events of those only. */
function eventsOf(storage: Pick<Storage, 'events'>): EventsOf {
  const within = <Filter extends EventFilter>(caller: Caller, filter: Filter): Filter => {
    if (filter.userId !== undefined) assertUser(caller, filter.userId)
    if (caller.userId !== null) return { ...filter, userId: caller.userId }
    return caller.policy.users ? { ...filter, userIds: caller.policy.users } : filter
  }
  return {
    list: (caller, filter) => storage.events.list(caller.projectId, within(caller, filter)),
    stream: (caller, filter) => storage.events.stream(caller.projectId, within(caller, filter)),
  }
}
