import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type {
  ApiKey,
  Connection,
  ConnectorDetail,
  ConnectRequest,
  ErrorBody,
  Event,
  ExecuteRequest,
  Instance,
  OAuthApp,
  Policy,
  Project,
  Role,
  ToolItem,
} from '@patchbay/sdk'
import { CATALOGUE } from './catalogue.ts'

export const ADMIN_KEY = 'pb_admin_key_of_the_stand_in'

/** As strict as the pages must live with: no inline script, nothing from elsewhere. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

type Answer = { status: number; body?: unknown }
interface Flow {
  request: ConnectRequest
  connectionId: string
}

/** A gateway in memory behind the built pages, for looking at them in a browser. Its data is the wire's. */
export async function startStandIn(dist = join(import.meta.dirname, '../dist')) {
  const state = {
    catalogue: structuredClone(CATALOGUE),
    connections: [] as Connection[],
    instances: [] as Instance[],
    keys: [] as ApiKey[],
    events: [] as Event[],
    project: { id: 'prj_1', name: 'default', redirect_urls: [], created_at: ago(0) } as Project,
    /** Answers that take the place of the next run of a tool. */
    faults: [] as Answer[],
    /** The person at the consent page says no. */
    denies: false,
    /** How long a tool takes, ms. */
    latency: 0,
  }
  const flows = new Map<string, Flow>()
  const sessions = new Set<string>()

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const address = new URL(request.url ?? '/', url)
    const path = address.pathname
    const api =
      path.startsWith('/api/') || (/^\/connectors(\/|$)/.test(path) && request.headers['sec-fetch-mode'] !== 'navigate')
    if (path.startsWith('/connect/start/')) return consentPage(path.slice(15), address, response)
    if (path === '/outcome.js') return send(response, 200, OUTCOME_SCRIPT, 'text/javascript')
    if (!api) return file(path, response)

    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const answer = await route(request, address, text ? JSON.parse(text) : {}, response)
    send(response, answer.status, answer.body === undefined ? '' : JSON.stringify(answer.body), 'application/json')
  }

  async function route(
    request: IncomingMessage,
    { pathname, searchParams: query }: URL,
    body: any,
    response: ServerResponse,
  ): Promise<Answer> {
    const method = request.method ?? 'GET'
    const csrf = request.headers['x-patchbay-csrf'] === '1'
    const cookie = /patchbay_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    const user = query.get('user_id') ?? undefined
    if (pathname === '/api/session' && method === 'POST') {
      if (!csrf) return fail(403, 'forbidden', 'The header x-patchbay-csrf is missing.')
      if (body.api_key !== ADMIN_KEY) {
        return fail(401, 'unauthorized', 'This key is not known.', {
          action: 'Check that all of it was pasted, or make a new one with `patchbay keys`.',
        })
      }
      const session = randomUUID()
      sessions.add(session)
      response.setHeader('set-cookie', `patchbay_session=${session}; Path=/; HttpOnly; SameSite=Lax`)
      return ok(sessionForm())
    }
    if (!cookie || !sessions.has(cookie)) return fail(401, 'unauthorized', 'Nobody is signed in.')
    if (method !== 'GET' && !csrf) return fail(403, 'forbidden', 'The header x-patchbay-csrf is missing.')

    const [, area, id, action] = /^\/(?:api\/)?([\w-]+)(?:\/([\w-]+))?(?:\/([\w-]+))?$/.exec(pathname) ?? []
    switch (
      `${method} ${area}${action ? `/:id/${action}` : id && area !== 'tools' && area !== 'integrations' && id !== 'export' ? '/:id' : id ? `/${id}` : ''}`
    ) {
      case 'GET session':
        return ok(sessionForm())
      case 'DELETE session':
        sessions.delete(cookie)
        return { status: 204 }
      case 'GET connectors':
        return list(state.catalogue.map(({ form: _, scopes: __, tools: ___, setup: ____, ...summary }) => summary))
      case 'GET connectors/:id':
        return found(state.catalogue.find((one) => one.id === id))
      case 'GET connections':
        return list(
          state.connections.filter(
            (one) => one.user_id === user && (query.get('connector') ?? one.connector) === one.connector,
          ),
        )
      case 'GET connections/:id':
        return found(state.connections.find((one) => one.id === id && one.user_id === user))
      case 'PATCH connections/:id': {
        const connection = state.connections.find((one) => one.id === id)
        if (!connection) return found(undefined)
        if (body.is_default) for (const one of siblings(connection)) one.is_default = one.id === id
        if (body.label) connection.label = body.label
        note({ type: 'connection.updated', connection })
        return ok(connection)
      }
      case 'DELETE connections/:id': {
        const connection = state.connections.find((one) => one.id === id)
        if (!connection) return found(undefined)
        state.connections = state.connections.filter((one) => one.id !== id)
        note({ type: 'connection.disconnected', connection })
        return ok({
          disconnected: true,
          revoked_at_provider: true,
          message: 'Access was revoked and the tokens are deleted.',
        })
      }
      case 'POST integrations/connect':
        return connect(body)
      case 'GET tools':
        return list(toolsOf(user ?? ''))
      case 'POST tools/execute':
        return execute(body)
      case 'GET instances':
        return list(state.instances.filter((one) => user === undefined || one.user_id === user))
      case 'POST instances': {
        const instance = newInstance(body.user_id, body.name ?? 'My agents', body.policy ?? {})
        state.instances.push(instance)
        note({ type: 'instance.created', user: body.user_id })
        return { status: 201, body: { ...instance, token: `${instance.token_prefix}${randomUUID()}` } }
      }
      case 'PATCH instances/:id':
        return found(Object.assign(state.instances.find((one) => one.id === id) ?? {}, body))
      case 'POST instances/:id/rotate-token':
        return ok({ ...state.instances.find((one) => one.id === id), token: `pbi_${randomUUID()}` })
      case 'DELETE instances/:id':
        state.instances = state.instances.filter((one) => one.id !== id)
        return { status: 204 }
      case 'GET events':
        return eventPage(query)
      case 'GET events/export':
        return ok(state.events)
      case 'GET users':
        return list([...new Set(state.connections.map((one) => one.user_id))].map((one) => ({ id: one })))
      case 'GET api-keys':
        return list(state.keys)
      case 'POST api-keys': {
        const key = newKey(body.name, body.role, body.user_id ?? null, body.policy ?? {}, body.expires_in)
        state.keys.push(key)
        return { status: 201, body: { ...key, secret: `${key.prefix}${randomUUID()}` } }
      }
      case 'DELETE api-keys/:id':
        for (const key of state.keys) if (key.id === id) key.revoked_at = ago(0)
        return { status: 204 }
      case 'GET oauth-apps':
        return list(oauthApps())
      case 'PUT oauth-apps/:id':
        for (const one of state.catalogue) if (one.provider === id) one.configured = true
        return found(oauthApps().find((one) => one.provider === id))
      case 'DELETE oauth-apps/:id':
        for (const one of state.catalogue) if (one.provider === id) one.configured = false
        return { status: 204 }
      case 'PATCH projects/:id':
        return ok(Object.assign(state.project, body))
      default:
        return fail(404, 'not_found', `The stand-in has no ${method} ${pathname}.`)
    }
  }

  function connect(request: ConnectRequest): Answer {
    const connector = state.catalogue.find((one) => one.id === request.provider) as ConnectorDetail
    const connectionId = request.connection_id ?? `conn_${randomUUID()}`
    if (!request.connection_id) {
      state.connections.push(
        newConnection(connector, request.user_id, {
          id: connectionId,
          status: 'pending',
          account: null,
          permissions: [],
          scopes: [],
        }),
      )
    }
    const token = randomUUID()
    flows.set(token, { request, connectionId })
    note({ type: 'connection.authorize', user: request.user_id, connector: connector.id })
    return ok({
      auth_url: `${url}/connect/start/${token}`,
      connection_id: connectionId,
      expires_at: new Date(Date.now() + 600_000).toISOString(),
    })
  }

  /** Both the provider's consent page and what the gateway shows after it. */
  function consentPage(token: string, address: URL, response: ServerResponse) {
    const flow = flows.get(token)
    if (!flow) return send(response, 404, 'gone', 'text/plain')
    if (!address.searchParams.has('allow')) {
      return send(
        response,
        200,
        `<title>Consent</title><h1>Allow access?</h1><form><button name="allow" value="yes">Allow</button></form>`,
        'text/html',
      )
    }
    flows.delete(token)
    const { request, connectionId } = flow
    const connector = state.catalogue.find((one) => one.id === request.provider) as ConnectorDetail
    const connection = state.connections.find((one) => one.id === connectionId) as Connection
    const message = state.denies
      ? {
          type: 'patchbay:connect',
          status: 'failed',
          appName: connector.id,
          error: { code: 'oauth_failed', message: 'You did not allow the access.' },
        }
      : { type: 'patchbay:connect', status: 'connected', appName: connector.id, connection_id: connectionId }
    if (state.denies) state.connections = state.connections.filter((one) => one !== connection)
    else {
      const granted = connector.scopes.filter(({ effect }) => request.tools !== undefined || effect === 'read')
      Object.assign(
        connection,
        newConnection(connector, request.user_id, {
          id: connectionId,
          granted,
          is_default: siblings(connection).length === 1,
        }),
      )
      note({ type: 'connection.connected', connection })
    }
    if (request.redirect_url) {
      const back = new URL(request.redirect_url)
      back.searchParams.set('status', message.status)
      back.searchParams.set('appName', connector.id)
      return response.writeHead(303, { location: back.href }).end()
    }
    const data = JSON.stringify({ message, origin: request.opener_origin })
    return send(
      response,
      200,
      `<title>Done</title><script type="application/json" id="outcome">${data}</script><script src="/outcome.js"></script>`,
      'text/html',
    )
  }

  async function execute(request: ExecuteRequest): Promise<Answer> {
    if (state.latency > 0) await new Promise((resolve) => setTimeout(resolve, state.latency))
    const fault = state.faults.shift()
    const item = toolsOf(request.user_id).find(({ name }) => name === request.action)
    if (fault || !item) {
      note({
        type: 'tool.called',
        user: request.user_id,
        tool: request.action,
        outcome: 'error',
        code: 'provider_unavailable',
      })
      return fault ?? fail(404, 'not_found', 'There is no such tool.')
    }
    const event = note({
      type: 'tool.called',
      user: request.user_id,
      connector: item.connector,
      tool: item.name,
      duration_ms: 184,
    })
    const result = RESULTS[item.name] ?? { done: true, input: request.params ?? {} }
    return ok({
      success: true,
      result,
      connection_id: item.accounts[0]?.connection_id,
      truncated: false,
      duration_ms: 184,
      event_id: event.id,
      request_id: event.request_id,
    })
  }

  function toolsOf(user: string): ToolItem[] {
    return state.catalogue.flatMap((connector) => {
      const mine = state.connections.filter(
        (one) => one.user_id === user && one.connector === connector.id && one.status !== 'pending',
      )
      if (mine.length === 0) return []
      return connector.tools.map((tool): ToolItem => {
        const usable = mine.filter((one) => one.status === 'active' || one.status === 'expiring')
        const granted = usable.some(
          (one) => tool.scopes.length === 0 || tool.scopes.flat().some((scope) => one.scopes.includes(scope)),
        )
        const unavailable: ErrorBody | undefined =
          usable.length === 0
            ? {
                code: 'needs_reauth',
                message: `The ${connector.name} account must be connected again.`,
                retryable: false,
                fix: { action: 'Reconnect the account.' },
              }
            : granted
              ? undefined
              : {
                  code: 'missing_scope',
                  message: `${mine[0]?.label} has not allowed “${tool.title.toLowerCase()}” yet.`,
                  retryable: false,
                  fix: { action: 'Allow it once; what was allowed before stays.' },
                }
        return {
          ...tool,
          provider: connector.name,
          connector: connector.id,
          available: !unavailable,
          ...(unavailable && { unavailable }),
          accounts: mine.map(({ id, label, is_default, status }) => ({ connection_id: id, label, is_default, status })),
        }
      })
    })
  }

  function oauthApps(): OAuthApp[] {
    return [...new Set(state.catalogue.map(({ provider }) => provider))].map((provider) => {
      const served = state.catalogue.filter((one) => one.provider === provider) as [
        ConnectorDetail,
        ...ConnectorDetail[],
      ]
      const { configured, setup } = served[0]
      return {
        provider,
        provider_name: provider.charAt(0).toUpperCase() + provider.slice(1),
        client_id: configured ? `${provider}-client-4711.apps.example.com` : null,
        source: configured ? (provider === 'github' ? 'environment' : 'stored') : null,
        redirect_uri: `${url}/oauth/callback/${provider}`,
        setup: { url: setup.url, steps: setup.steps },
        connectors: served.map(({ name }) => name),
        updated_at: configured ? ago(3 * DAY) : null,
      }
    })
  }

  function newInstance(user_id: string, name: string, policy: Policy): Instance {
    const id = `inst_${randomUUID().slice(0, 12)}`
    return {
      id,
      user_id,
      name,
      url: `${url}/${id}/mcp`,
      token_prefix: 'pbi_4f9c',
      policy,
      created_at: ago(0),
      last_used_at: null,
    }
  }

  function siblings({ user_id, connector }: Connection): Connection[] {
    return state.connections.filter((one) => one.user_id === user_id && one.connector === connector)
  }

  function eventPage(query: URLSearchParams): Answer {
    const types = query.get('types')?.split(',')
    const wanted = [...state.events]
      .reverse()
      .filter(
        (one) =>
          (!types || types.includes(one.type)) &&
          ['outcome', 'user_id', 'connector', 'tool', 'request_id'].every(
            (key) => (query.get(key) ?? one[key as keyof Event]) === one[key as keyof Event],
          ),
      )
    const limit = Number(query.get('limit') ?? 50)
    const from = query.has('cursor') ? wanted.findIndex(({ id }) => id === query.get('cursor')) + 1 : 0
    const items = wanted.slice(from, from + limit)
    return ok({ items, next_cursor: from + limit < wanted.length ? (items.at(-1)?.id ?? null) : null })
  }

  function note(given: Partial<Event> & { type: string; user?: string; connection?: Connection }): Event {
    const { user, connection, ...rest } = given
    const event: Event = {
      id: `evt_${String(state.events.length).padStart(6, '0')}`,
      at: ago(0),
      outcome: 'ok',
      actor: { type: 'session', id: 'key_admin' },
      user_id: user ?? connection?.user_id ?? null,
      connector: connection?.connector ?? null,
      connection_id: connection?.id ?? null,
      tool: null,
      code: null,
      message: null,
      duration_ms: null,
      request_id: `req_${randomUUID().slice(0, 8)}`,
      details: null,
      ...rest,
    }
    state.events.push(event)
    return event
  }

  function sessionForm() {
    return { signed_in: true, project: state.project, role: 'admin' as Role, user_id: null }
  }

  async function file(path: string, response: ServerResponse) {
    const name = extname(path) === '' ? 'index.html' : path
    try {
      send(response, 200, await readFile(join(dist, name)), TYPES[extname(name)] ?? 'application/octet-stream')
    } catch {
      send(response, 404, 'not there', 'text/plain')
    }
  }

  return {
    url,
    state,
    note,
    newInstance,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const DAY = 86_400_000

export function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString()
}

export function newConnection(
  { id: connector, name, scopes }: ConnectorDetail,
  user_id: string,
  {
    granted = scopes.filter(({ effect }) => effect === 'read'),
    ...given
  }: Partial<Connection> & { granted?: ConnectorDetail['scopes'] } = {},
): Connection {
  const email = `ann@${connector === 'gmail' ? 'example.com' : `${connector}.example.com`}`
  return {
    id: `conn_${randomUUID()}`,
    user_id,
    connector,
    label: given.status === 'pending' ? name : email,
    is_default: true,
    status: 'active',
    status_reason: null,
    account: { id: '1', label: 'Ann Lee', email },
    scopes: granted.map((one) => one.name),
    permissions: granted.map((one) => ({ scope: one.name, description: one.description, effect: one.effect })),
    expires_at: null,
    created_at: ago(0),
    updated_at: ago(0),
    ...given,
  }
}

function newKey(name: string, role: Role, user_id: string | null, policy: Policy, expiresIn?: number): ApiKey {
  const expires_at = expiresIn ? new Date(Date.now() + expiresIn * 1000).toISOString() : null
  return {
    id: `key_${randomUUID()}`,
    name,
    role,
    user_id,
    prefix: 'pbk_81ac',
    policy,
    expires_at,
    created_at: ago(0),
    last_used_at: null,
    revoked_at: null,
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body }
}

function list(items: unknown[]): Answer {
  return ok({ items, next_cursor: null })
}

function found(body: unknown): Answer {
  return body ? ok(body) : fail(404, 'not_found', 'There is no such thing.')
}

export function fail(status: number, code: string, message: string, fix?: ErrorBody['fix']): Answer {
  return {
    status,
    body: { error: { code, message, retryable: status >= 500, request_id: 'req_5f0c2a', ...(fix && { fix }) } },
  }
}

function send(response: ServerResponse, status: number, body: string | Buffer, type: string) {
  response
    .writeHead(status, { 'content-type': type, 'content-security-policy': CSP, 'cache-control': 'no-store' })
    .end(body)
}

/** As the gateway's closing page does it: tell the opener's exact origin, once, and close. */
const OUTCOME_SCRIPT = `const { message, origin } = JSON.parse(document.getElementById('outcome').textContent)
if (window.opener && origin) window.opener.postMessage(message, origin)
window.close()`

const RESULTS: Record<string, unknown> = {
  GMAIL_FETCH_EMAILS: {
    messages: [
      {
        message_id: '18f0a1',
        from: 'Bo Chen <bo@example.com>',
        subject: 'Minutes of Monday',
        date: '2026-03-02T09:12:00Z',
        unread: true,
        labels: ['INBOX', 'UNREAD'],
        snippet:
          'Thanks all. We agreed to ship on the 12th, with the import still behind a switch until the numbers look right. Two open points below.',
      },
      {
        message_id: '18f0b7',
        from: 'Billing <billing@example.com>',
        subject: 'Receipt 4711',
        date: '2026-03-01T18:00:00Z',
        unread: false,
        labels: ['INBOX'],
        snippet: 'Your receipt is attached.',
      },
      {
        message_id: '18f0c9',
        from: 'Dana Ito <dana@example.com>',
        subject: 'Re: Offsite',
        date: '2026-02-27T15:44:00Z',
        unread: false,
        labels: ['INBOX'],
        snippet: 'Works for me. I will book the room.',
      },
    ],
    next_page_token: 'p2',
    estimated_total: 128,
  },
  GMAIL_GET_PROFILE: { email: 'ann@example.com', messages_total: 48211, threads_total: 20114, history_id: '998211' },
}
