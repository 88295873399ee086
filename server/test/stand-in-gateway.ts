import { z } from 'zod'
import type { Caller } from '../src/core/caller.ts'
import type { Connection } from '../src/core/connection.ts'
import type { Connector } from '../src/core/connector.ts'
import { PatchbayError } from '../src/core/errors.ts'
import type { Event } from '../src/core/events.ts'
import type { Gateway, ToolCall } from '../src/core/gateway.ts'
import { assertUser } from '../src/core/policy.ts'
import type { Provider } from '../src/core/provider.ts'
import type { ApiKey, EventFilter, Instance, OAuthApp, Project } from '../src/core/storage.ts'

/**
 * A gateway in memory for the tests of this folder: two users, one connector, and the rules of the real one that
 * its callers can see (bound callers, one project, unknown ids).
 */
export const KEYS = { admin: 'pb_admin_test', app: 'pb_app_test', ann: 'pb_user_ann', bob: 'pb_user_bob' } as const
export const INSTANCE_TOKEN = 'pb_inst_token_ann'
const NOW = Date.parse('2026-11-20T12:00:00Z')

const provider: Provider = {
  id: 'postal',
  name: 'Postal',
  issuer: null,
  authorizeUrl: 'https://postal.example/authorize',
  tokenUrl: 'https://postal.example/token',
  clientAuth: 'post',
  pkce: 'S256',
  connectionParams: [{ key: 'host', label: 'Host', required: false, pattern: '^[a-z.]+$', help: 'Where it runs' }],
  refresh: { rotates: true, graceSeconds: 0 },
  setup: { url: 'https://postal.example/apps', steps: ['Make an app'] },
}

const mail: Connector = {
  id: 'mail',
  kind: 'api',
  name: 'Mail',
  description: 'Reads and sends mail.',
  category: 'email',
  provider,
  api: 'https://postal.example/api',
  scopes: {
    'mail.read': { description: 'Read mail', effect: 'read' },
    'mail.send': { description: 'Send mail', effect: 'write' },
  },
  identityScopes: ['mail.read'],
  account: async () => ({ id: 'a', label: 'a' }),
  tools: {
    MAIL_SEND: {
      title: 'Send mail',
      description: 'Sends one mail.',
      effect: 'write',
      scopes: ['mail.send'],
      input: z.object({ to: z.string(), subject: z.string().optional() }),
      run: 'POST /send',
    },
    MAIL_SEARCH: {
      title: 'Search mail',
      description: 'Finds mail.',
      effect: 'read',
      scopes: [['mail.read']],
      input: z.object({ query: z.string() }),
      run: 'GET /search',
    },
  },
}

export interface StandIn extends Gateway {
  calls: ToolCall[]
  /** Replaces what a tool call does. */
  onCall: ((call: ToolCall) => Promise<unknown>) | undefined
  eventLog: Event[]
  connectionRows: Connection[]
  started: unknown[]
  health: Gateway['health']
}

export function standInGateway(): StandIn {
  const callers: Record<string, Caller> = {
    [KEYS.admin]: caller('admin', null, 'key_admin'),
    [KEYS.app]: caller('app', null, 'key_app'),
    [KEYS.ann]: caller('user', 'ann', 'key_ann'),
    [KEYS.bob]: caller('user', 'bob', 'key_bob'),
  }
  const project: Project = { id: 'default', name: 'default', redirectUrls: ['https://app.example/*'], createdAt: NOW }
  const projects = [project]
  const connectionRows = [connection('conn_ann', 'ann'), connection('conn_bob', 'bob')]
  let instances = [instance('inst_ann', 'ann'), instance('inst_bob', 'bob')]
  let apiKeys = [apiKey('key_1', 'app', null)]
  const oauthApps = new Map<string, Omit<OAuthApp, 'clientSecret'>>()
  const sessions = new Map<string, Caller>()
  const eventLog = Array.from({ length: 5 }, (_, index) => event(index, index % 2 === 0 ? 'ann' : 'bob'))
  const calls: ToolCall[] = []
  const started: unknown[] = []

  const owned = (who: Caller, userId: string, id: string): Connection => {
    assertUser(who, userId)
    const found = connectionRows.find((one) => one.id === id && one.userId === userId)
    if (!found) throw new PatchbayError('not_found', 'There is no such connection.')
    return found
  }
  const ownedInstance = (who: Caller, userId: string, id: string): Instance => {
    assertUser(who, userId)
    const found = instances.find((one) => one.id === id && one.userId === userId)
    if (!found) throw new PatchbayError('not_found', 'There is no such instance.')
    return found
  }
  const matching = (who: Caller, filter: EventFilter) =>
    eventLog.filter(
      (one) =>
        (who.userId === null || one.userId === who.userId) &&
        (filter.userId === undefined || one.userId === filter.userId) &&
        (filter.types === undefined || filter.types.includes(one.type)) &&
        (filter.outcome === undefined || one.outcome === filter.outcome),
    )
  const adminOnly = (who: Caller) => {
    if (who.role !== 'admin') throw new PatchbayError('forbidden', 'Only an administrator may do this.')
  }

  const gateway: StandIn = {
    calls,
    started,
    eventLog,
    connectionRows,
    onCall: undefined,
    catalogue: {
      connectors: () => [mail],
      connector: (id) => (id === mail.id ? mail : undefined),
      providers: () => [provider],
      provider: (id) => (id === provider.id ? provider : undefined),
      tool: (name) => {
        const tool = mail.tools[name.toUpperCase()]
        return tool && { name: name.toUpperCase(), connector: mail, tool }
      },
      inputSchema: (name) =>
        z.toJSONSchema((mail.tools[name] as { input: z.ZodObject }).input) as Record<string, unknown>,
    },
    callers: {
      async fromApiKey(secret) {
        if (secret === undefined) throw new PatchbayError('unauthorized', 'An API key is missing.')
        const found = callers[secret]
        if (!found) throw new PatchbayError('unauthorized', 'This API key is unknown.')
        return found
      },
      async fromInstanceToken(instanceId, token) {
        const found = instances.find((one) => one.id === instanceId)
        if (!found || token !== INSTANCE_TOKEN || instanceId !== 'inst_ann') {
          throw new PatchbayError('unauthorized', 'This token is not the instance’s.')
        }
        return {
          caller: { ...caller('user', found.userId, found.id), actor: { type: 'instance', id: found.id } },
          instance: found,
        }
      },
      fromSession: async (cookie) => sessions.get(cookie),
    },
    connect: {
      async start(who, request) {
        assertUser(who, request.userId)
        if (request.connectorId !== 'mail') throw new PatchbayError('not_found', 'There is no such connector.')
        if (request.redirectUrl && !request.redirectUrl.startsWith('https://app.example/')) {
          throw new PatchbayError('invalid_input', '`redirect_url` is not on the project’s list.')
        }
        started.push(request)
        return { authUrl: 'http://gateway.test/connect/start/tok', connectionId: 'conn_new', expiresAt: NOW + 600_000 }
      },
      open: async () => 'https://postal.example/authorize',
      callback: async () => ({ status: 'failed' }),
      async importTokens(who, request) {
        assertUser(who, request.userId)
        if (request.connectorId !== 'mail') throw new PatchbayError('not_found', 'There is no such connector.')
        started.push(request)
        return connection('conn_imported', request.userId)
      },
    },
    connections: {
      async list(who, userId, connectorId) {
        assertUser(who, userId)
        return connectionRows.filter(
          (one) => one.userId === userId && (!connectorId || one.connectorId === connectorId),
        )
      },
      get: async (who, userId, id) => owned(who, userId, id),
      async update(who, userId, id, changes) {
        return Object.assign(owned(who, userId, id), changes)
      },
      refresh: async (who, userId, id) => owned(who, userId, id),
      async disconnect(who, userId, id) {
        connectionRows.splice(connectionRows.indexOf(owned(who, userId, id)), 1)
        return { supported: true, revoked: true, message: 'Postal ended the grant.' }
      },
    },
    tools: {
      async list(who, userId) {
        assertUser(who, userId)
        return Object.entries(mail.tools).map(([name, tool]) => ({
          name,
          title: tool.title,
          description: tool.description,
          connectorId: 'mail',
          connectorName: 'Mail',
          effect: tool.effect,
          idempotent: false,
          inputSchema: gateway.catalogue.inputSchema(name),
          available: name !== 'MAIL_SEND',
          ...(name === 'MAIL_SEND' && {
            unavailable: { code: 'missing_scope' as const, message: 'Mail may not be sent.', retryable: false },
          }),
          connections: [{ id: 'conn_ann', label: 'Work', isDefault: true, status: 'active' as const }],
        }))
      },
      async call(who, call) {
        assertUser(who, call.userId)
        calls.push(call)
        if (gateway.onCall) return { ...done, data: await gateway.onCall(call) }
        if (!gateway.catalogue.tool(call.name)) throw new PatchbayError('not_found', `There is no tool ${call.name}.`)
        return { ...done, data: { sent: call.arguments } }
      },
    },
    instances: {
      async create(who, request) {
        assertUser(who, request.userId)
        const made = {
          ...instance(`inst_${instances.length}`, request.userId),
          name: request.name ?? 'MCP',
          policy: request.policy ?? {},
        }
        instances.push(made)
        return { instance: made, token: 'pb_inst_new' }
      },
      async list(who, userId) {
        if (userId !== undefined) assertUser(who, userId)
        return instances.filter((one) => userId === undefined || one.userId === userId)
      },
      get: async (who, userId, id) => ownedInstance(who, userId, id),
      update: async (who, userId, id, changes) => Object.assign(ownedInstance(who, userId, id), changes),
      rotateToken: async (who, userId, id) => ({ instance: ownedInstance(who, userId, id), token: 'pb_inst_rotated' }),
      async remove(who, userId, id) {
        const found = ownedInstance(who, userId, id)
        instances = instances.filter((one) => one !== found)
      },
    },
    connectLinks: {
      async create(who, request) {
        assertUser(who, request.userId)
        started.push(request)
        return { url: 'http://gateway.test/connect/link', id: 'link_1', expiresAt: NOW + 600_000 }
      },
      open: async () => {
        throw new PatchbayError('not_found', 'This link is not known.')
      },
      start: async () => {
        throw new PatchbayError('not_found', 'This link is not known.')
      },
    },
    sessions: {
      async create(key) {
        if (key !== KEYS.admin) throw new PatchbayError('unauthorized', 'This is not an admin key.')
        const who = { ...caller('admin', null, 'session_1'), actor: { type: 'session' as const, id: 'session_1' } }
        sessions.set('cookie-1', who)
        return { cookie: 'cookie-1', caller: who, expiresAt: NOW + 86_400_000 }
      },
      async end(cookie) {
        sessions.delete(cookie)
      },
    },
    admin: {
      async project(who) {
        adminOnly(who)
        return project
      },
      projects: async () => projects,
      async createProject(who, name) {
        adminOnly(who)
        const made = { id: `prj_${projects.length + 1}`, name, redirectUrls: [], createdAt: NOW }
        projects.push(made)
        return { project: made, adminKey: 'pb_admin_new' }
      },
      async updateProject(who, id, changes) {
        adminOnly(who)
        const found = projects.find((one) => one.id === id)
        if (!found) throw new PatchbayError('not_found', 'There is no such project.')
        return Object.assign(found, changes)
      },
      async removeProject(who, id) {
        adminOnly(who)
        const index = projects.findIndex((one) => one.id === id)
        if (index < 0) throw new PatchbayError('not_found', 'There is no such project.')
        projects.splice(index, 1)
      },
      apiKeys: async () => apiKeys,
      async createApiKey(who, request) {
        if (who.role !== 'admin' && request.role !== 'user') throw new PatchbayError('forbidden', 'Not this role.')
        const made = {
          ...apiKey(`key_${apiKeys.length + 1}`, request.role, request.userId ?? null),
          name: request.name,
          policy: request.policy ?? {},
        }
        apiKeys.push(made)
        return { apiKey: made, secret: 'pb_made' }
      },
      async revokeApiKey(who, id) {
        adminOnly(who)
        if (!apiKeys.some((one) => one.id === id)) throw new PatchbayError('not_found', 'There is no such key.')
        apiKeys = apiKeys.filter((one) => one.id !== id)
      },
      oauthApps: async () => [...oauthApps.values()].map((one) => ({ ...one, source: 'stored' as const })),
      async saveOAuthApp(who, request) {
        adminOnly(who)
        const saved = {
          id: 'oapp_1',
          projectId: 'default',
          providerId: request.providerId,
          clientId: request.clientId,
          createdAt: NOW,
          updatedAt: NOW,
        }
        oauthApps.set(request.providerId, saved)
        return saved
      },
      async removeOAuthApp(who, providerId) {
        adminOnly(who)
        if (!oauthApps.delete(providerId))
          throw new PatchbayError('not_found', 'There is no OAuth app for this provider.')
      },
      redirectUri: (id) => `http://gateway.test/oauth/callback/${id}`,
      configured: async (_project, id) => oauthApps.has(id),
      async connections(who, page) {
        adminOnly(who)
        const from = page.cursor === undefined ? 0 : connectionRows.findIndex((one) => one.id === page.cursor) + 1
        return connectionRows.slice(from, from + page.limit)
      },
      users: async () => ['ann', 'bob'],
    },
    events: {
      async list(who, filter) {
        const all = matching(who, filter)
        const from = filter.cursor === undefined ? 0 : all.findIndex((one) => one.id === filter.cursor) + 1
        return all.slice(from, from + filter.limit)
      },
      async *stream(who, filter) {
        yield* matching(who, filter)
      },
    },
    health: async () => ({ status: 'ok', storage: { engine: 'sqlite', ok: true }, version: '0.1.0', uptimeSeconds: 1 }),
  }
  return gateway
}

const done = {
  name: 'MAIL_SEND',
  connectionId: 'conn_ann',
  connectorId: 'mail',
  truncated: false,
  durationMs: 3,
  eventId: 'evt_1',
}

function caller(role: Caller['role'], userId: string | null, id: string): Caller {
  return { projectId: 'default', role, userId, actor: { type: 'api_key', id }, policy: {} }
}

function connection(id: string, userId: string): Connection {
  return {
    id,
    projectId: 'default',
    userId,
    connectorId: 'mail',
    label: 'Work',
    isDefault: true,
    status: 'active',
    statusReason: null,
    account: {
      id: 'a1',
      label: `${userId}@example.com`,
      email: `${userId}@example.com`,
      avatarUrl: 'https://postal.example/a.png',
    },
    settings: {},
    captured: {},
    scopes: { default: ['mail.read'] },
    credential: 'v1.sealed-credential',
    generation: 1,
    expiresAt: NOW + 3_600_000,
    refreshAfter: null,
    refreshFailures: 0,
    refreshIntent: null,
    fence: 0,
    leaseUntil: null,
    oauthAppId: null,
    createdAt: NOW,
    updatedAt: NOW,
  } as Connection
}

function instance(id: string, userId: string): Instance {
  return {
    id,
    projectId: 'default',
    userId,
    name: 'Agent',
    tokenHash: 'hash-of-a-token',
    tokenPrefix: 'pb_inst_',
    policy: {},
    createdAt: NOW,
    updatedAt: NOW,
    lastUsedAt: null,
  }
}

function apiKey(id: string, role: ApiKey['role'], userId: string | null): ApiKey {
  return {
    id,
    projectId: 'default',
    name: 'Backend',
    role,
    userId,
    hash: 'hash-of-a-key',
    prefix: 'pb_app_t',
    policy: {},
    expiresAt: null,
    createdAt: NOW,
    lastUsedAt: null,
    revokedAt: null,
  }
}

function event(index: number, userId: string): Event {
  return {
    id: `evt-${index}`,
    projectId: 'default',
    at: NOW + index,
    type: 'tool.called',
    outcome: 'ok',
    actor: { type: 'api_key', id: 'key_app' },
    userId,
    connectorId: 'mail',
    connectionId: `conn_${userId}`,
    tool: 'MAIL_SEND',
    code: null,
    message: null,
    durationMs: 3,
    requestId: 'req_12345678',
    details: null,
  }
}
