import type { FastifyInstance, InjectOptions } from 'fastify'
import pino from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { INSTANCE_TOKEN, KEYS, type StandIn, standInGateway } from '../../test/stand-in-gateway.ts'
import { createApi } from './app.ts'

let gateway: StandIn
let app: FastifyInstance

beforeEach(async () => {
  gateway = standInGateway()
  app = await createApi({
    gateway,
    publicUrl: 'http://gateway.test/',
    corsOrigins: [],
    secureCookies: false,
    logger: pino({ level: 'silent' }),
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'up 1\n' },
  })
  return () => app.close()
})

type Who = 'admin' | 'app' | 'ann' | 'bob' | 'nobody'

/** Every route that takes a key: who may use it, a request that works, and what it answers. */
const ROUTES: {
  route: string
  admits: readonly Who[]
  query?: string
  body?: Record<string, unknown>
  status?: number
  answers: Record<string, unknown> | undefined
}[] = [
  {
    route: 'GET /connectors',
    admits: ['admin', 'app', 'ann'],
    answers: { items: [{ id: 'mail', configured: false, tools_count: 2 }] },
  },
  {
    route: 'GET /connectors/mail',
    admits: ['admin', 'app', 'ann'],
    answers: {
      id: 'mail',
      form: { type: 'object', properties: { host: { type: 'string', title: 'Host' } }, required: [] },
      scopes: [{ name: 'mail.read' }, { name: 'mail.send' }],
      tools: [{ name: 'MAIL_SEND' }, { name: 'MAIL_SEARCH', scopes: [['mail.read']] }],
      setup: { redirect_uri: 'http://gateway.test/oauth/callback/postal' },
    },
  },
  {
    route: 'GET /api/integrations',
    admits: ['admin', 'app', 'ann'],
    answers: { items: [{ id: 'mail', provider: 'postal' }] },
  },
  {
    route: 'POST /api/integrations/connect',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', provider: 'mail', redirect_url: 'https://app.example/done' },
    answers: {
      auth_url: 'http://gateway.test/connect/start/tok',
      connection_id: 'conn_new',
      expires_at: '2026-11-20T12:10:00.000Z',
    },
  },
  {
    route: 'GET /oauth/authorize/mail',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann&redirect_url=https%3A%2F%2Fapp.example%2Fx',
    status: 302,
    answers: undefined,
  },
  {
    route: 'POST /api/connect-links',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', connectors: ['mail'] },
    status: 201,
    answers: { id: 'link_1', url: 'http://gateway.test/connect/link' },
  },
  {
    route: 'POST /cache-tokens',
    admits: ['admin', 'app', 'ann'],
    body: {
      user_id: 'ann',
      provider: 'mail',
      access_token: 'at',
      refresh_token: 'rt',
      expires_at: '2026-11-20T13:00:00Z',
    },
    status: 201,
    answers: { id: 'conn_imported', user_id: 'ann' },
  },
  {
    route: 'GET /api/integrations/connected',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { items: [{ id: 'conn_ann' }] },
  },
  {
    route: 'GET /api/connections',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { items: [{ id: 'conn_ann' }], next_cursor: null },
  },
  {
    route: 'GET /api/connections/conn_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: {
      id: 'conn_ann',
      account: { email: 'ann@example.com', avatar_url: 'https://postal.example/a.png' },
      scopes: ['mail.read'],
      permissions: [{ scope: 'mail.read', description: 'Read mail', effect: 'read' }],
      expires_at: '2026-11-20T13:00:00.000Z',
    },
  },
  {
    route: 'PATCH /api/connections/conn_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    body: { label: 'Home' },
    answers: { label: 'Home' },
  },
  {
    route: 'POST /api/connections/conn_ann/refresh',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { id: 'conn_ann' },
  },
  {
    route: 'DELETE /api/connections/conn_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { disconnected: true, revoked_at_provider: true, message: 'Postal ended the grant.' },
  },
  {
    route: 'POST /api/integrations/disconnect',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', provider: 'postal' },
    answers: { disconnected: true },
  },
  {
    route: 'POST /oauth/refresh/mail',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann' },
    answers: { id: 'conn_ann' },
  },
  { route: 'GET /api/tools', admits: ['admin', 'app', 'ann'], query: 'user_id=ann', answers: toolsAnswer() },
  { route: 'GET /tools', admits: ['admin', 'app', 'ann'], query: 'user_id=ann', answers: toolsAnswer() },
  {
    route: 'POST /api/tools/execute',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', action: 'MAIL_SEND', params: { to: 'x' }, account: 'Work' },
    answers: {
      success: true,
      result: { sent: { to: 'x' } },
      connection_id: 'conn_ann',
      truncated: false,
      event_id: 'evt_1',
    },
  },
  {
    route: 'POST /tools/call',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', name: 'MAIL_SEND', arguments: { to: 'x' } },
    answers: { success: true, result: { sent: { to: 'x' } } },
  },
  {
    route: 'POST /api/tools/execute-batch',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', calls: [{ action: 'MAIL_SEND' }, { action: 'NO_SUCH' }] },
    answers: { results: [{ success: true }, { success: false, error: { code: 'not_found' } }] },
  },
  {
    route: 'GET /api/tools/health',
    admits: ['admin', 'app', 'ann'],
    answers: { status: 'ok', connectors: 1, tools: 2 },
  },
  {
    route: 'POST /api/instances',
    admits: ['admin', 'app', 'ann'],
    body: { user_id: 'ann', name: 'Claude', policy: { effects: ['read'] } },
    status: 201,
    answers: {
      name: 'Claude',
      policy: { effects: ['read'] },
      token: 'pb_inst_new',
      url: 'http://gateway.test/inst_2/mcp',
    },
  },
  {
    route: 'GET /api/instances',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { items: [{ id: 'inst_ann' }] },
  },
  {
    route: 'GET /api/instances/inst_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { id: 'inst_ann' },
  },
  {
    route: 'PATCH /api/instances/inst_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    body: { name: 'New' },
    answers: { name: 'New' },
  },
  {
    route: 'POST /api/instances/inst_ann/rotate-token',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    answers: { token: 'pb_inst_rotated' },
  },
  {
    route: 'DELETE /api/instances/inst_ann',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann',
    status: 204,
    answers: undefined,
  },
  {
    route: 'GET /inst_ann/health',
    admits: ['admin', 'app', 'ann'],
    answers: { status: 'ok', instance_id: 'inst_ann' },
  },
  {
    route: 'GET /inst_ann/status',
    admits: ['admin', 'app', 'ann'],
    answers: { instance: { id: 'inst_ann' }, tools: { total: 2, available: 1 }, connections: [{ id: 'conn_ann' }] },
  },
  {
    route: 'POST /inst_ann/refresh',
    admits: ['admin', 'app', 'ann'],
    answers: { items: [{ connection_id: 'conn_ann', status: 'active', error: null }] },
  },
  {
    route: 'GET /api/events',
    admits: ['admin', 'app', 'ann'],
    query: 'user_id=ann&limit=2',
    answers: { next_cursor: 'evt-2' },
  },
  {
    route: 'GET /api/projects',
    admits: ['admin'],
    answers: { items: [{ id: 'default', redirect_urls: ['https://app.example/*'] }] },
  },
  {
    route: 'POST /api/projects',
    admits: ['admin'],
    body: { name: 'Two' },
    status: 201,
    answers: { name: 'Two', admin_key: 'pb_admin_new' },
  },
  {
    route: 'PATCH /api/projects/default',
    admits: ['admin'],
    body: { redirect_urls: ['https://b.example/*'] },
    answers: { redirect_urls: ['https://b.example/*'] },
  },
  { route: 'DELETE /api/projects/default', admits: ['admin'], status: 204, answers: undefined },
  { route: 'GET /api/api-keys', admits: ['admin'], answers: { items: [{ id: 'key_1', prefix: 'pb_app_t' }] } },
  {
    route: 'POST /api/api-keys',
    admits: ['admin', 'app'],
    body: { name: 'Browser', role: 'user', user_id: 'ann', expires_in: 3600 },
    status: 201,
    answers: { role: 'user', user_id: 'ann', secret: 'pb_made' },
  },
  { route: 'DELETE /api/api-keys/key_1', admits: ['admin'], status: 204, answers: undefined },
  {
    route: 'GET /api/oauth-apps',
    admits: ['admin'],
    answers: { items: [{ provider: 'postal', client_id: null, source: null, connectors: ['mail'] }] },
  },
  {
    route: 'PUT /api/oauth-apps/postal',
    admits: ['admin'],
    body: { client_id: 'cid', client_secret: 'the-secret' },
    answers: { client_id: 'cid', source: 'stored', redirect_uri: 'http://gateway.test/oauth/callback/postal' },
  },
  { route: 'GET /api/users', admits: ['admin'], answers: { items: [{ id: 'ann' }, { id: 'bob' }] } },
  {
    route: 'GET /api/session',
    admits: ['admin'],
    answers: { signed_in: true, role: 'admin', project: { id: 'default' } },
  },
]

function toolsAnswer() {
  return {
    items: [
      {
        name: 'MAIL_SEND',
        provider: 'postal',
        connector: 'mail',
        available: false,
        unavailable: { code: 'missing_scope' },
      },
      {
        name: 'MAIL_SEARCH',
        available: true,
        parameters: { type: 'object' },
        accounts: [{ connection_id: 'conn_ann' }],
      },
    ],
  }
}

function send(spec: (typeof ROUTES)[number], who: Who, extra: Partial<InjectOptions> = {}) {
  const [method, path] = spec.route.split(' ') as [InjectOptions['method'], string]
  return app.inject({
    method: method as 'GET',
    url: spec.query ? `${path}?${spec.query}` : path,
    ...(spec.body && { payload: spec.body }),
    headers: who === 'nobody' ? {} : { 'x-api-key': KEYS[who] },
    ...extra,
  })
}

describe.each(ROUTES)('$route', (spec) => {
  test('answers the callers it admits with what it promises', async () => {
    for (const who of spec.admits) {
      await app.close()
      gateway = standInGateway()
      app = await createApi({
        gateway,
        publicUrl: 'http://gateway.test',
        corsOrigins: [],
        secureCookies: false,
        logger: pino({ level: 'silent' }),
      })

      const reply = await send(spec, who)

      expect(reply.statusCode, `${who}: ${reply.body}`).toBe(spec.status ?? 200)
      if (spec.answers) expect(reply.json()).toMatchObject(spec.answers)
      expect(reply.body).not.toMatch(/sealed-credential|hash-of|the-secret/)
      expect(reply.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/)
    }
  })

  test('refuses everyone else', async () => {
    const missing = await send(spec, 'nobody')
    const wrong = await send(spec, 'nobody', { headers: { authorization: 'Bearer pb_wrong' } })
    const refused = (['app', 'ann'] as const).filter((who) => !spec.admits.includes(who))

    expect(missing.statusCode).toBe(401)
    expect(missing.headers['www-authenticate']).toBe('Bearer')
    expect(missing.json().error.code).toBe('unauthorized')
    expect(wrong.statusCode).toBe(401)
    for (const who of refused) {
      const reply = await send(spec, who)
      expect(reply.statusCode).toBe(403)
      expect(reply.json().error).toMatchObject({ code: 'forbidden', message: expect.stringContaining('admin') })
    }
  })

  test('shows a key of one user nothing of another', async () => {
    if (!spec.admits.includes('ann')) return
    const names = `${spec.route} ${spec.query ?? ''} ${JSON.stringify(spec.body ?? {})}`
    if (!/ann/.test(names)) return

    const reply = await send(spec, 'bob')

    expect(reply.statusCode, reply.body).toBe(404)
    expect(reply.json().error.code).toBe('not_found')
  })
})

test('the table covers every documented route that takes a key', async () => {
  const document = (await app.inject('/api/openapi.json')).json() as {
    paths: Record<string, Record<string, { security: unknown[] }>>
  }
  const covered = ROUTES.map(({ route }) =>
    route
      .replace(/\/(conn|key|prj|inst)_\w+/, '/{}')
      .replace(/(connectors|authorize|refresh|oauth-apps|projects)\/(mail|postal|default)/, '$1/{}'),
  )
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.security.length > 0)
      .map(([method]) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`),
  )

  const elsewhere = ['GET /metrics', 'GET /api/events/export', 'DELETE /api/oauth-apps/{}']
  expect([...covered, ...elsewhere].sort()).toEqual(documented.sort())
})

test('an OAuth app can be forgotten', async () => {
  const headers = { 'x-api-key': KEYS.admin }
  await app.inject({ method: 'PUT', url: '/api/oauth-apps/postal', headers, payload: { client_id: 'cid' } })

  const gone = await app.inject({ method: 'DELETE', url: '/api/oauth-apps/postal', headers })
  const again = await app.inject({ method: 'DELETE', url: '/api/oauth-apps/postal', headers })

  expect(gone.statusCode).toBe(204)
  expect(again.json().error.code).toBe('not_found')
})

test('health is for anyone, and metrics for those who run the gateway', async () => {
  expect((await app.inject('/health')).json()).toMatchObject({ status: 'ok', storage: { engine: 'sqlite', ok: true } })
  expect((await app.inject('/metrics')).statusCode).toBe(401)
  expect((await app.inject({ url: '/metrics', headers: { 'x-api-key': KEYS.app } })).statusCode).toBe(403)
  const metrics = await app.inject({ url: '/metrics', headers: { 'x-api-key': KEYS.admin } })
  expect(metrics.body).toBe('up 1\n')
  const { fromApiKey } = gateway.callers
  gateway.callers.fromApiKey = async (secret) => ({ ...(await fromApiKey(secret)), projectId: 'another' })
  expect((await app.inject({ url: '/metrics', headers: { 'x-api-key': KEYS.admin } })).statusCode).toBe(403)

  gateway.health = async () => ({
    status: 'degraded',
    storage: { engine: 'sqlite', ok: false },
    version: '1',
    uptimeSeconds: 1,
  })
  expect((await app.inject('/health')).statusCode).toBe(503)
})

test('a user key may leave out its user', async () => {
  const reply = await app.inject({ url: '/api/connections', headers: { 'x-api-key': KEYS.ann } })
  expect(reply.json().items).toMatchObject([{ id: 'conn_ann' }])
})

test('an app key must say which user', async () => {
  const reply = await app.inject({ url: '/api/tools', headers: { 'x-api-key': KEYS.app } })
  expect(reply.statusCode).toBe(400)
  expect(reply.json().error.message).toContain('user_id')
})

test('an administrator pages through everyone’s connections', async () => {
  const headers = { 'x-api-key': KEYS.admin }
  const first = (await app.inject({ url: '/api/connections?limit=1', headers })).json()
  const second = (await app.inject({ url: `/api/connections?limit=1&cursor=${first.next_cursor}`, headers })).json()

  expect(first.items).toMatchObject([{ id: 'conn_ann' }])
  expect(second.items).toMatchObject([{ id: 'conn_bob' }])
  expect(second.next_cursor).toBeNull()
})

test('an app key makes user keys and no others', async () => {
  const headers = { 'x-api-key': KEYS.app }
  const reply = await app.inject({
    method: 'POST',
    url: '/api/api-keys',
    headers,
    payload: { name: 'x', role: 'admin' },
  })
  expect(reply.statusCode).toBe(403)
  expect(reply.json().error.message).toContain('"user" only')
})

test('an instance is reached with its own bearer, and with no other', async () => {
  const own = { authorization: `Bearer ${INSTANCE_TOKEN}` }
  expect((await app.inject({ url: '/inst_ann/status', headers: own })).json().instance.id).toBe('inst_ann')
  expect((await app.inject({ url: '/inst_bob/status', headers: own })).statusCode).toBe(401)
  expect((await app.inject({ url: '/inst_none/status', headers: { 'x-api-key': KEYS.app } })).statusCode).toBe(404)
})

test('several connections that fit must be told apart, and the refusal lists them', async () => {
  gateway.connectionRows.push({
    ...(gateway.connectionRows[0] as (typeof gateway.connectionRows)[number]),
    id: 'conn_ann2',
    label: 'Home',
  })
  const headers = { 'x-api-key': KEYS.ann }

  const unclear = await app.inject({
    method: 'POST',
    url: '/api/integrations/disconnect',
    headers,
    payload: { provider: 'mail' },
  })
  const named = await app.inject({
    method: 'POST',
    url: '/api/integrations/disconnect',
    headers,
    payload: { provider: 'mail', connection_id: 'conn_ann2' },
  })

  expect(unclear.statusCode).toBe(409)
  expect(unclear.json().error).toMatchObject({
    code: 'ambiguous_account',
    details: { connections: [{ connection_id: 'conn_ann' }, { connection_id: 'conn_ann2', label: 'Home' }] },
  })
  expect(named.statusCode).toBe(200)
})

test('tokens brought by name arrive as the core takes them', async () => {
  const reply = await app.inject({
    method: 'POST',
    url: '/cache-tokens',
    headers: { 'x-api-key': KEYS.app },
    payload: {
      user_id: 'ann',
      provider: 'mail',
      tokens: {
        bot: { access_token: 'b', expires_at: '2026-11-20T12:00:00Z' },
        user: { access_token: 'u', refresh_token: 'r' },
      },
    },
  })

  expect(reply.statusCode).toBe(201)
  expect(gateway.started[0]).toMatchObject({
    tokens: {
      bot: { accessToken: 'b', expiresAt: Date.parse('2026-11-20T12:00:00Z') },
      user: { accessToken: 'u', refreshToken: 'r' },
    },
  })
})

test('events are filtered, paged and exported as JSON Lines', async () => {
  const headers = { 'x-api-key': KEYS.app }
  const first = (await app.inject({ url: '/api/events?limit=3&types=tool.called,api_key.created', headers })).json()
  const rest = (await app.inject({ url: `/api/events?limit=3&cursor=${first.next_cursor}`, headers })).json()
  const none = (await app.inject({ url: '/api/events?types=project.created', headers })).json()
  const exported = await app.inject({ url: '/api/events/export', headers })
  const annsOnly = await app.inject({ url: '/api/events/export', headers: { 'x-api-key': KEYS.ann } })

  expect(first.items).toHaveLength(3)
  expect(rest.items).toHaveLength(2)
  expect(rest.next_cursor).toBeNull()
  expect(none.items).toEqual([])
  expect(exported.headers['content-type']).toContain('application/x-ndjson')
  const lines = exported.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.map((line) => line.id)).toEqual(['evt-0', 'evt-1', 'evt-2', 'evt-3', 'evt-4'])
  expect(annsOnly.body.trim().split('\n')).toHaveLength(3)
})
