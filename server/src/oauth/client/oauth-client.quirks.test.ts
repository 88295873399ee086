import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PatchbayError } from '../../core/errors.ts'
import type { Http } from '../../core/http.ts'
import type { ExchangeRequest, Grant, OAuthError, RevokeRequest } from '../../core/oauth.ts'
import type { Provider } from '../../core/provider.ts'
import { createOAuthClient } from './oauth-client.ts'

/* Every odd shape that token endpoints are known to answer with or to ask for, from a server made for them. */

interface Answer {
  status?: number
  headers?: Record<string, string>
  body: unknown
}

const NOW = Date.UTC(2026, 10, 20, 12)
const SECRET = 'sk_a-b.c_secret-of-the-app'
const CODE = 'code-4f1c9b7e2a'
const REFRESH = 'refresh-93be77d01c'

let base = ''
let answer: Answer
let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = []

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(text)
  })
})
/** The port without the gateway's address policy, which has tests of its own. */
const http: Http = async ({ method, url, headers = {}, body = null }) => {
  const response = await fetch(url, { method, headers, body: body as string | null, redirect: 'manual' })
  const received = Object.fromEntries(response.headers)
  return { status: response.status, headers: received, body: Buffer.from(await response.arrayBuffer()) }
}
const client = createOAuthClient({ http, now: () => NOW })
const app = { clientId: 'client_1', clientSecret: SECRET }

beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  seen = []
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

function providerWith(changes: Partial<Provider> = {}): Provider {
  return {
    id: 'odd',
    name: 'Odd',
    issuer: null,
    authorizeUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    clientAuth: 'post',
    pkce: 'off',
    refresh: { rotates: false, graceSeconds: 0 },
    setup: { url: base, steps: [] },
    ...changes,
  }
}

function exchange(changes: Partial<Provider>, reply: Answer, request: Partial<ExchangeRequest> = {}): Promise<Grant> {
  answer = reply
  return client.exchange({
    provider: providerWith(changes),
    client: app,
    redirectUri: 'https://gateway.test/cb',
    callback: new URLSearchParams({ code: CODE, state: 's' }),
    params: {},
    ...request,
  })
}

function refresh(changes: Partial<Provider>, reply: Answer, tokenName = 'default'): Promise<Grant> {
  answer = reply
  const provider = providerWith(changes)
  return client.refresh({ provider, client: app, tokenName, refreshToken: REFRESH, params: {}, captured: {} })
}

async function failure(call: Promise<unknown>): Promise<OAuthError> {
  return call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
}

const slack: Partial<Provider> = {
  scopeSeparator: ',',
  scopeParams: { bot: 'scope', user: 'user_scope' },
  tokenAt: { bot: '$', user: 'authed_user' },
  errorWhen: { path: 'ok', is: 'false', code: 'error' },
  capture: [
    { key: 'team_id', from: 'token', path: 'team.id' },
    { key: 'team_name', from: 'token', path: 'team.name' },
  ],
}
const github: Partial<Provider> = {
  scopeSeparatorInReply: ',',
  errorWhen: { path: 'error', is: 'present', code: 'error', description: 'error_description' },
}
const team = { id: 'T1', name: 'Acme' }

describe('odd token replies become regular grants', () => {
  const token = (more: object = {}) => ({ accessToken: 'at', issuedAt: NOW, ...more })
  const inAnHour = { expiresAt: NOW + 3_600_000 }

  it.each<[string, Partial<Provider>, Answer, object]>([
    [
      'Slack: a bot token, type "bot", comma scopes',
      slack,
      { body: { ok: true, access_token: 'at', token_type: 'bot', scope: 'chat:write,users:read', team } },
      {
        tokens: { bot: token() },
        scopes: { bot: ['chat:write', 'users:read'] },
        captured: { team_id: 'T1', team_name: 'Acme' },
      },
    ],
    [
      'Slack: bot and user tokens together, each with its own scopes and life',
      slack,
      {
        body: {
          ok: true,
          access_token: 'xoxb',
          refresh_token: 'xoxe-b',
          expires_in: 3600,
          token_type: 'bot',
          scope: 'chat:write',
          team,
          authed_user: {
            id: 'U1',
            access_token: 'xoxp',
            token_type: 'user',
            scope: 'search:read,users:read',
            refresh_token: 'xoxe-p',
            expires_in: 60,
          },
        },
      },
      {
        tokens: {
          bot: { accessToken: 'xoxb', refreshToken: 'xoxe-b', issuedAt: NOW, ...inAnHour },
          user: { accessToken: 'xoxp', refreshToken: 'xoxe-p', issuedAt: NOW, expiresAt: NOW + 60_000 },
        },
        scopes: { bot: ['chat:write'], user: ['search:read', 'users:read'] },
        captured: { team_id: 'T1', team_name: 'Acme' },
      },
    ],
    [
      'Slack: a user token only',
      slack,
      {
        body: {
          ok: true,
          team,
          authed_user: { id: 'U1', access_token: 'at', token_type: 'user', scope: 'search:read' },
        },
      },
      { tokens: { user: token() }, scopes: { user: ['search:read'] }, captured: { team_id: 'T1', team_name: 'Acme' } },
    ],
    [
      'GitHub: a form',
      github,
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: 'access_token=at&scope=repo%2Cread%3Auser&token_type=bearer',
      },
      { tokens: { default: token() }, scopes: { default: ['repo', 'read:user'] } },
    ],
    [
      'a form called plain text',
      {},
      { headers: { 'content-type': 'text/plain' }, body: 'access_token=at&expires_in=3600' },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'JSON called plain text, with a byte order mark',
      {},
      { headers: { 'content-type': 'text/plain' }, body: '\ufeff{"access_token":"at"}' },
      { tokens: { default: token() } },
    ],
    [
      'JSON called HTML',
      {},
      { headers: { 'content-type': 'text/html' }, body: '{"access_token":"at"}' },
      { tokens: { default: token() } },
    ],
    [
      'Shopify: no token_type',
      { scopeSeparatorInReply: ',' },
      { body: { access_token: 'at', scope: 'read_orders,write_orders' } },
      { tokens: { default: token() }, scopes: { default: ['read_orders', 'write_orders'] } },
    ],
    [
      'token_type null, scope null, refresh_token null',
      {},
      { body: { access_token: 'at', token_type: null, scope: null, refresh_token: null } },
      { tokens: { default: token() }, scopes: {} },
    ],
    [
      'Twitch: scopes in a list',
      {},
      { body: { access_token: 'at', token_type: 'bearer', scope: ['a', 'b', 'a'] } },
      { scopes: { default: ['a', 'b'] } },
    ],
    [
      'TikTok: everything nested, numbered scopes',
      {
        tokenAt: { default: 'data' },
        errorWhen: { path: 'code', is: 'nonzero', code: 'code', description: 'message' },
      },
      { body: { code: 0, message: 'OK', data: { access_token: 'at', scope: [4, 15] } } },
      { tokens: { default: token() }, scopes: { default: ['4', '15'] } },
    ],
    [
      'HTTP 201',
      {},
      { status: 201, body: { access_token: 'at', token_type: 'Bearer' } },
      { tokens: { default: token() } },
    ],
    [
      'expires_in as text',
      {},
      { body: { access_token: 'at', expires_in: '3600' } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'Mailchimp: expires_in 0 means never',
      {},
      { body: { access_token: 'at', expires_in: 0 } },
      { tokens: { default: token() } },
    ],
    ['a negative expires_in', {}, { body: { access_token: 'at', expires_in: -1 } }, { tokens: { default: token() } }],
    [
      'an expires_in that is no number',
      {},
      { body: { access_token: 'at', expires_in: 'soon' } },
      { tokens: { default: token() } },
    ],
    [
      'an absurd expires_in',
      {},
      { body: { access_token: 'at', expires_in: 1e300 } },
      { tokens: { default: token({ expiresAt: NOW + 3_155_760_000_000 }) } },
    ],
    [
      'Square: expires_at as a date',
      {},
      { body: { access_token: 'at', expires_at: '2026-11-20T13:00:00Z' } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'expires_at in seconds',
      {},
      { body: { access_token: 'at', expires_at: NOW / 1000 + 3600 } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'expires_at in milliseconds, as text',
      {},
      { body: { access_token: 'at', expires_at: String(NOW + 3_600_000) } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'a life only the provider’s data knows',
      { refresh: { rotates: false, graceSeconds: 0, defaultExpiresIn: 3600 } },
      { body: { access_token: 'at' } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'an id_token nobody can verify',
      {},
      { body: { access_token: 'at', id_token: 'not.a.jwt', expires_in: 3600 } },
      { tokens: { default: token(inAnHour) } },
    ],
    [
      'Salesforce and Notion: further members, some of them odd',
      {
        capture: [
          {
            key: 'instance_url',
            from: 'token',
            path: 'instance_url',
            pattern: 'https://[a-z0-9-]+\\.my\\.salesforce\\.com',
          },
        ],
      },
      {
        body: {
          access_token: 'at',
          instance_url: 'https://acme.my.salesforce.com',
          id: 'x',
          issued_at: '1',
          owner: { user: null },
        },
      },
      { tokens: { default: token() }, captured: { instance_url: 'https://acme.my.salesforce.com' } },
    ],
  ])('%s', async (_what, changes, reply, expected) => {
    expect(await exchange(changes, reply)).toMatchObject(expected)
  })

  it('drops the id_token rather than keeping what nobody verified', async () => {
    expect(JSON.stringify(await exchange({}, { body: { access_token: 'at', id_token: 'not.a.jwt' } }))).not.toContain(
      'not.a.jwt',
    )
  })

  it('leaves the scopes out when the reply does not say, and takes those of the callback', async () => {
    const reply = { body: { access_token: 'at' } }

    expect((await exchange({}, reply)).scopes).toEqual({})
    const callback = new URLSearchParams({ code: CODE, scope: 'read,activity:read' })
    expect((await exchange({ scopeSeparatorInReply: ',' }, reply, { callback })).scopes).toEqual({
      default: ['read', 'activity:read'],
    })
  })

  it('says that nothing was granted when the reply says so', async () => {
    expect((await exchange({}, { body: { access_token: 'at', scope: '' } })).scopes).toEqual({ default: [] })
  })
})

describe('what a refresh answers', () => {
  it('keeps the refresh token that is not repeated', async () => {
    expect((await refresh({}, { body: { access_token: 'new', expires_in: 60 } })).tokens).toEqual({
      default: { accessToken: 'new', refreshToken: REFRESH, expiresAt: NOW + 60_000, issuedAt: NOW },
    })
  })

  it('takes the one that is', async () => {
    expect(
      (await refresh({}, { body: { access_token: 'new', refresh_token: 'next' } })).tokens['default']?.refreshToken,
    ).toBe('next')
  })

  it.each([
    ['at its place', { ok: true, authed_user: { access_token: 'new', scope: 'search:read' } }],
    ['at the root', { ok: true, access_token: 'new', token_type: 'user', scope: 'search:read' }],
  ])('finds a nested token %s', async (_where, body) => {
    expect(await refresh(slack, { body }, 'user')).toMatchObject({
      tokens: { user: { accessToken: 'new', refreshToken: REFRESH } },
      scopes: { user: ['search:read'] },
    })
  })

  it('does not take an empty scope for a loss of every scope', async () => {
    expect((await refresh({}, { body: { access_token: 'new', scope: '' } })).scopes).toEqual({})
  })

  it('keeps the new token when a captured value no longer fits', async () => {
    const capture: Provider['capture'] = [{ key: 'api', from: 'token', path: 'api', pattern: 'https://api\\.test' }]

    const grant = await refresh({ capture }, { body: { access_token: 'new', api: 'https://evil.test' } })

    expect(grant).toMatchObject({ tokens: { default: { accessToken: 'new' } }, captured: {} })
  })
})

describe('what is sent', () => {
  const ok = { body: { access_token: 'at' } }
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

  it('sends a code exchange as a form, proving the client in it', async () => {
    await exchange({ tokenParams: { expiring: '1' }, tokenHeaders: { 'Notion-Version': '2025-09-03' } }, ok, {
      codeVerifier: 'v'.repeat(43),
    })

    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/token',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        'notion-version': '2025-09-03',
      },
    })
    expect(seen[0]?.headers['authorization']).toBeUndefined()
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      grant_type: 'authorization_code',
      code: CODE,
      redirect_uri: 'https://gateway.test/cb',
      code_verifier: 'v'.repeat(43),
      client_id: 'client_1',
      client_secret: SECRET,
      expiring: '1',
    })
  })

  it('sends a refresh', async () => {
    await refresh({ refreshParams: { scope: 'offline' } }, ok)

    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: REFRESH,
      client_id: 'client_1',
      client_secret: SECRET,
      scope: 'offline',
    })
  })

  it('sends Basic raw where services do not decode it', async () => {
    await exchange({ clientAuth: 'basic' }, ok)

    expect(seen[0]?.headers['authorization']).toBe(basic(`client_1:${SECRET}`))
    expect(seen[0]?.body).not.toContain('client_secret')
  })

  it('sends Basic percent-encoded where the provider follows the RFC', async () => {
    await exchange({ clientAuth: 'basic_encoded' }, ok, { client: { clientId: 'a:b', clientSecret: 'p+ä /%' } })

    expect(seen[0]?.headers['authorization']).toBe(basic('a%3Ab:p%2B%C3%A4+%2F%25'))
  })

  it.each<[Provider['clientAuth'], string | undefined]>([
    ['none', SECRET],
    ['post', undefined],
    ['basic', undefined],
  ])('sends no proof for %s with secret %s', async (clientAuth, clientSecret) => {
    await exchange({ clientAuth }, ok, { client: { clientId: 'client_1', ...(clientSecret && { clientSecret }) } })

    expect(seen[0]?.headers['authorization']).toBeUndefined()
    expect(new URLSearchParams(seen[0]?.body).get('client_id')).toBe('client_1')
    expect(seen[0]?.body).not.toContain('client_secret')
  })

  it('sends JSON, under the provider’s own names', async () => {
    await exchange({ tokenBody: 'json', renameParams: { client_id: 'client_key', code: 'auth_code' } }, ok)

    expect(seen[0]?.headers['content-type']).toBe('application/json')
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      grant_type: 'authorization_code',
      auth_code: CODE,
      redirect_uri: 'https://gateway.test/cb',
      client_key: 'client_1',
      client_secret: SECRET,
    })
  })

  it('fills values from the callback into token parameters', async () => {
    await exchange(
      {
        capture: [{ key: 'context', from: 'callback', path: 'context', pattern: 'stores/[a-z0-9]+' }],
        tokenParams: { context: '{context}', never: '{unknown}' },
      },
      ok,
      { callback: new URLSearchParams({ code: CODE, context: 'stores/abc1' }) },
    )

    expect(new URLSearchParams(seen[0]?.body).get('context')).toBe('stores/abc1')
    expect(new URLSearchParams(seen[0]?.body).has('never')).toBe(false)
  })
})

describe('the authorization address', () => {
  const request = (changes: Partial<Provider>, more: object = {}) =>
    client.authorizationUrl({
      provider: providerWith({ authorizeUrl: 'https://odd.test/oauth?keep=1', ...changes }),
      client: app,
      redirectUri: 'https://gateway.test/cb',
      state: 'st',
      scopes: { default: ['b c', 'a'] },
      params: {},
      ...more,
    })

  it('carries everything the provider’s data asks for', () => {
    const url = new URL(
      request(
        { authorizeParams: { access_type: 'offline' }, pkce: 'S256' },
        { codeChallenge: 'ch', loginHint: 'ann@a.test' },
      ),
    )

    expect(Object.fromEntries(url.searchParams)).toEqual({
      keep: '1',
      access_type: 'offline',
      scope: 'b c a',
      login_hint: 'ann@a.test',
      code_challenge: 'ch',
      code_challenge_method: 'S256',
      response_type: 'code',
      client_id: 'client_1',
      redirect_uri: 'https://gateway.test/cb',
      state: 'st',
    })
    expect(url.search).toContain('scope=b%20c%20a')
    expect(url.href).not.toContain(SECRET)
  })

  it('gives each token its scopes, with commas, and leaves out an empty list', () => {
    const both = new URL(request(slack, { scopes: { bot: ['chat:write', 'users:read'], user: ['search:read'] } }))
      .searchParams
    const one = new URL(request(slack, { scopes: { bot: [], user: ['search:read'] } })).searchParams

    expect([both.get('scope'), both.get('user_scope')]).toEqual(['chat:write,users:read', 'search:read'])
    expect([one.has('scope'), one.get('user_scope')]).toEqual([false, 'search:read'])
  })

  it('renames parameters and leaves PKCE out where it is off', () => {
    const params = new URL(
      request(
        { renameParams: { client_id: 'client_key', login_hint: 'login' } },
        { codeChallenge: 'ch', loginHint: 'ann' },
      ),
    ).searchParams

    expect([
      params.get('client_key'),
      params.get('login'),
      params.has('client_id'),
      params.has('code_challenge'),
    ]).toEqual(['client_1', 'ann', false, false])
  })
})

describe('addresses that hold a value', () => {
  const connectionParams: Provider['connectionParams'] = [
    { key: 'host', label: 'Host', required: false, default: 'github.test', pattern: '[a-z0-9.:@/?#\\\\-]+' },
    { key: 'tenant', label: 'Tenant', required: false, default: 'common', pattern: '[a-z./?#-]+' },
  ]
  const url = (authorizeUrl: string, params: Record<string, string>) =>
    client.authorizationUrl({
      provider: providerWith({ authorizeUrl, connectionParams }),
      client: app,
      redirectUri: 'x',
      state: 's',
      scopes: {},
      params,
    })

  it('takes defaults and given values', () => {
    expect(new URL(url('https://{host}/login/{tenant}', {})).href).toMatch(/^https:\/\/github\.test\/login\/common\?/)
    expect(new URL(url('https://{host}/x', { host: 'ghe.acme.test:8443' })).host).toBe('ghe.acme.test:8443')
  })

  it.each(['a@evil.test', 'evil.test/x', 'evil.test?x', 'evil.test#x', 'evil.test\\x', '-evil', 'a:b', 'a:999999'])(
    'refuses the host %s even where a loose pattern lets it pass',
    (host) => {
      expect(() => url('https://{host}/login', { host })).toThrow(
        'The value of "Host" for Odd is missing or not of the expected form.',
      )
    },
  )

  it.each(['..', '.'])('refuses to climb out of the path with %s', (tenant) => {
    expect(() => url('https://login.test/{tenant}/x', { tenant })).toThrow('"Tenant"')
  })

  it('keeps a value of the path inside its segment', () => {
    expect(new URL(url('https://login.test/{tenant}/x', { tenant: 'a/../b?c#d' })).pathname).toBe(
      '/a%2F..%2Fb%3Fc%23d/x',
    )
  })

  it('holds the whole value against the pattern', () => {
    expect(() => url('https://{host}/', { host: 'ok.test\nevil' })).toThrow('"Host"')
    expect(() => url('https://{host}/', { host: 'a'.repeat(3000) })).toThrow('"Host"')
    expect(() => url('https://{nothing}/', {})).toThrow('"nothing"')
  })

  it('sends the code to a server named in the callback only if the pattern knows it', async () => {
    const changes: Partial<Provider> = {
      tokenUrl: '{accounts_server}/token',
      capture: [
        { key: 'accounts_server', from: 'callback', path: 'accounts-server', pattern: base.replaceAll('.', '\\.') },
      ],
    }
    const from = (accountsServer: string) =>
      exchange(
        changes,
        { body: { access_token: 'at' } },
        { callback: new URLSearchParams({ code: CODE, 'accounts-server': accountsServer }) },
      )

    expect((await from(base)).captured).toEqual({ accounts_server: base })
    for (const evil of ['https://evil.test', `${base}.evil.test`, `${base}/x`, `${base}@evil.test`]) {
      expect((await failure(from(evil))).code).toBe('capture_refused')
    }
    expect((await failure(exchange(changes, { body: {} }))).code).toBe('bad_parameter')
    expect(seen).toHaveLength(1)
  })

  it('refuses a callback from another shop than the one asked for', async () => {
    const changes: Partial<Provider> = {
      connectionParams: [{ key: 'shop', label: 'Shop', required: true, pattern: '[a-z]+\\.shops\\.test' }],
      capture: [{ key: 'shop', from: 'callback', path: 'shop' }],
    }
    const callback = new URLSearchParams({ code: CODE, shop: 'other.shops.test' })

    const error = await failure(
      exchange(changes, { body: { access_token: 'at' } }, { callback, params: { shop: 'mine.shops.test' } }),
    )

    expect(error.code).toBe('capture_refused')
    expect(seen).toHaveLength(0)
  })

  it('refuses a captured address that does not match', async () => {
    const capture: Provider['capture'] = [
      { key: 'api', from: 'token', path: 'api', pattern: 'https://[a-z]+\\.odd\\.test' },
    ]

    expect(
      (await failure(exchange({ capture }, { body: { access_token: 'at', api: 'https://a.odd.test.evil.test' } })))
        .code,
    ).toBe('capture_refused')
  })
})

describe('callbacks', () => {
  const callback = (query: string) =>
    failure(exchange({}, { body: { access_token: 'at' } }, { callback: new URLSearchParams(query) }))

  it.each([
    ['error=access_denied', 'access_denied', 'user'],
    ['error=user_cancelled_login', 'user_cancelled_login', 'user'],
    ['error=redirect_uri_mismatch', 'redirect_uri_mismatch', 'configuration'],
    ['error=admin_policy_enforced', 'admin_policy_enforced', 'policy'],
    ['error=temporarily_unavailable', 'temporarily_unavailable', 'transient'],
    ['error=%3Cscript%3E', 'unknown_error', 'configuration'],
    ['', 'invalid_callback', 'user'],
    ['code=', 'invalid_callback', 'user'],
    ['code=a&code=b', 'invalid_callback', 'user'],
    ['code=a&iss=https://a.test&iss=https://b.test', 'invalid_callback', 'user'],
    ['code=a&response=jwt', 'invalid_callback', 'user'],
    ['code=a&id_token=jwt', 'invalid_callback', 'user'],
  ])('%s is %s, for %s', async (query, code, failureClass) => {
    expect(await callback(query)).toMatchObject({ code, failure: failureClass, ambiguous: false })
    expect(seen).toHaveLength(0)
  })

  it('shows what the provider said without control characters, and not all of it', async () => {
    const error = await callback(
      `error=server_error&error_description=${encodeURIComponent(`a\u0000\u001b[31m\r\nb\u202e ${'x'.repeat(500)}`)}`,
    )

    expect(error.message).toBe(`Odd refused the request (server_error). It said: a[31m b ${'x'.repeat(191)}…`)
  })
})

describe('failed replies are classified', () => {
  const page = { headers: { 'content-type': 'text/html' }, body: '<html>Sorry</html>' }

  it.each<[string, Partial<Provider>, Answer, object]>([
    [
      'invalid_grant',
      {},
      { status: 400, body: { error: 'invalid_grant' } },
      { code: 'invalid_grant', failure: 'user', status: 400, ambiguous: false },
    ],
    [
      'Slack 200 invalid_refresh_token',
      slack,
      { body: { ok: false, error: 'invalid_refresh_token' } },
      { code: 'invalid_refresh_token', failure: 'user' },
    ],
    [
      'Slack 200 token_revoked',
      slack,
      { body: { ok: false, error: 'token_revoked' } },
      { code: 'token_revoked', failure: 'user' },
    ],
    [
      'Slack 200 ratelimited',
      slack,
      { body: { ok: false, error: 'ratelimited' } },
      { failure: 'transient', ambiguous: false },
    ],
    [
      'GitHub 200 bad_refresh_token',
      github,
      { body: { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' } },
      { code: 'bad_refresh_token', failure: 'user' },
    ],
    [
      'GitHub 200 error as a form',
      github,
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'error=bad_refresh_token&error_description=No',
      },
      { code: 'bad_refresh_token', failure: 'user' },
    ],
    [
      'GitHub 200 incorrect_client_credentials',
      github,
      { body: { error: 'incorrect_client_credentials' } },
      { failure: 'configuration' },
    ],
    [
      'a 200 error no data announced',
      {},
      { body: { error: 'invalid_grant' } },
      { code: 'invalid_grant', failure: 'user' },
    ],
    [
      'Atlassian 403 about a dead refresh token',
      {},
      { status: 403, body: { error: 'unauthorized_client', error_description: 'refresh_token is invalid' } },
      { code: 'unauthorized_client', failure: 'user' },
    ],
    [
      'a status the provider’s data explains',
      { errors: { http_403: 'user' } },
      { status: 403, body: { error: 'nope' } },
      { failure: 'user' },
    ],
    [
      'a code the provider’s data explains',
      { errors: { invalid_grant: 'policy' } },
      { status: 400, body: { error: 'invalid_grant' } },
      { failure: 'policy' },
    ],
    [
      'TikTok nonzero',
      { errorWhen: { path: 'code', is: 'nonzero', code: 'code', description: 'message' } },
      { body: { code: 40105, message: 'Access token is incorrect', data: {} } },
      { code: '40105', failure: 'configuration' },
    ],
    [
      'invalid_client',
      {},
      { status: 401, body: { error: 'invalid_client' } },
      { failure: 'configuration', ambiguous: false },
    ],
    ['a bare 401', {}, { status: 401, body: '' }, { code: 'invalid_client', failure: 'configuration' }],
    ['unauthorized_client', {}, { status: 400, body: { error: 'unauthorized_client' } }, { failure: 'configuration' }],
    [
      'unsupported_grant_type',
      {},
      { status: 400, body: { error: 'unsupported_grant_type' } },
      { failure: 'configuration' },
    ],
    ['invalid_scope', {}, { status: 400, body: { error: 'invalid_scope' } }, { failure: 'configuration' }],
    [
      'an error that is an object',
      {},
      { status: 400, body: { error: { code: 190, type: 'OAuthException', message: 'Error validating application' } } },
      { code: '190', failure: 'configuration' },
    ],
    [
      'an error that is a sentence',
      {},
      { status: 400, body: { error: 'Something is wrong' } },
      { code: 'unknown_error', failure: 'configuration' },
    ],
    [
      '429 with seconds',
      {},
      { status: 429, headers: { 'retry-after': '30' }, body: { error: 'invalid_grant' } },
      { failure: 'transient', retryAfter: 30, ambiguous: false },
    ],
    [
      '429 with a date, as a page',
      {},
      { ...page, status: 429, headers: { ...page.headers, 'retry-after': new Date(NOW + 90_000).toUTCString() } },
      { code: 'http_429', failure: 'transient', retryAfter: 90, ambiguous: false },
    ],
    [
      '503 with JSON',
      {},
      { status: 503, headers: { 'retry-after': 'later' }, body: { error: 'invalid_grant' } },
      { failure: 'transient', retryAfter: undefined, ambiguous: true },
    ],
    ['502 with a page', {}, { ...page, status: 502 }, { code: 'http_502', failure: 'transient', ambiguous: true }],
    ['404 with a page', {}, { ...page, status: 404 }, { failure: 'transient', ambiguous: false }],
    ['401 with a page', {}, { ...page, status: 401 }, { code: 'http_401', failure: 'transient' }],
    [
      'a redirect',
      {},
      { status: 302, headers: { location: 'https://evil.test' }, body: '' },
      { code: 'http_302', failure: 'transient', ambiguous: false },
    ],
    ['200 with a page', {}, page, { code: 'http_200', failure: 'transient', ambiguous: true }],
    ['200 with JSON cut off', {}, { body: '{"access_token":"a' }, { failure: 'transient', ambiguous: true }],
    ['200 with a list', {}, { body: [] }, { failure: 'transient', ambiguous: true }],
    ['200 with nothing', {}, { body: '' }, { failure: 'transient', ambiguous: true }],
    [
      '200 without a token',
      {},
      { body: { hello: 'world' } },
      { code: 'no_token', failure: 'transient', ambiguous: true },
    ],
    [
      '200 with a token that is no text',
      {},
      { body: { access_token: 17 } },
      { code: 'no_token', failure: 'transient', ambiguous: true },
    ],
    [
      'a proof-of-possession token',
      {},
      { body: { access_token: 'at', token_type: 'DPoP' } },
      { code: 'invalid_reply', ambiguous: true },
    ],
  ])('%s', async (_what, changes, reply, expected) => {
    expect(await failure(refresh(changes, reply))).toMatchObject(expected)
  })

  it('classifies the same in an exchange', async () => {
    expect(
      await failure(
        exchange(github, { body: { error: 'bad_verification_code', error_description: 'The code is incorrect.' } }),
      ),
    ).toMatchObject({
      code: 'bad_verification_code',
      failure: 'user',
      message: 'Odd did not accept the authorization code. Start connecting again. It said: The code is incorrect.',
    })
    expect(await failure(exchange(slack, { body: { ok: true, team } }))).toMatchObject({ code: 'no_token' })
  })

  it.each<[string, PatchbayError | Error, object]>([
    [
      'nobody listening',
      new PatchbayError('provider_unavailable', 'x', { details: { sent: false } }),
      { code: 'network', failure: 'transient', ambiguous: false },
    ],
    [
      'a lost connection',
      new PatchbayError('provider_unavailable', 'x', { details: { sent: true } }),
      { code: 'network', failure: 'transient', ambiguous: true },
    ],
    [
      'a timeout after sending',
      new PatchbayError('timeout', 'x', { details: { sent: true } }),
      { code: 'timeout', failure: 'transient', ambiguous: true },
    ],
    [
      'a timeout before sending',
      new PatchbayError('timeout', 'x', { details: { sent: false } }),
      { code: 'timeout', failure: 'transient', ambiguous: false },
    ],
    ['a timeout that does not say', new PatchbayError('timeout', 'x'), { ambiguous: true }],
    [
      'a caller gone',
      new PatchbayError('cancelled', 'x', { details: { sent: true } }),
      { code: 'cancelled', failure: 'transient', ambiguous: true },
    ],
    [
      'an endless reply',
      new PatchbayError('too_large', 'x', { details: { sent: true } }),
      { code: 'too_large', failure: 'transient', ambiguous: true },
    ],
    [
      'a refused address',
      new PatchbayError('egress_refused', 'Add it to EGRESS_ALLOW.'),
      { code: 'egress_refused', failure: 'configuration', ambiguous: false, message: 'Add it to EGRESS_ALLOW.' },
    ],
    ['anything else', new Error(REFRESH), { code: 'network', failure: 'transient', ambiguous: true }],
  ])('%s', async (_what, thrown, expected) => {
    const broken = createOAuthClient({ http: () => Promise.reject(thrown) })

    const error = await failure(
      broken.refresh({
        provider: providerWith(),
        client: app,
        tokenName: 'default',
        refreshToken: REFRESH,
        params: {},
        captured: {},
      }),
    )

    expect(error).toMatchObject(expected)
    expect(error.message).not.toContain(REFRESH)
  })
})

describe('secrets', () => {
  const everything = (error: OAuthError) =>
    `${error.message}\n${error.stack}\n${JSON.stringify(error)}\n${String(error.cause)}`

  it.each([
    ['a refresh token repeated', (s: string) => `Token ${s} is expired`],
    ['quoted', (s: string) => `Token "${s}" is expired`],
    ['in part', (s: string) => `Token ${s.slice(0, 12)}... is expired`],
    ['in its middle', (s: string) => `Token …${s.slice(5, 14)} is expired`],
    ['inside a longer word', (s: string) => `token=${s}&x=1`],
    ['broken by characters nobody sees', (s: string) => `Token ${s.slice(0, 6)}\u200b${s.slice(6)} is expired`],
    ['in base64', (s: string) => `Token ${Buffer.from(s).toString('base64')} is expired`],
    ['at the end of a long text', (s: string) => `${'x '.repeat(92)}${s}`],
  ])('%s never reaches the message', async (_what, sentence) => {
    for (const secret of [REFRESH, SECRET]) {
      const error = await failure(
        refresh({}, { status: 400, body: { error: 'invalid_grant', error_description: sentence(secret) } }),
      )
      const shown = everything(error)
      for (let at = 0; at + 8 <= secret.length; at++) expect(shown).not.toContain(secret.slice(at, at + 8))
      expect(shown).not.toContain(Buffer.from(secret).toString('base64'))
    }
  })

  it('nor the code or verifier of an exchange', async () => {
    const verifier = 'verifier-0123456789abcdef0123456789abcdef0123'
    const error = await failure(
      exchange(
        {},
        { status: 400, body: { error: CODE, error_description: `${CODE} ${verifier}` } },
        { codeVerifier: verifier },
      ),
    )

    expect(error.code).toBe('unknown_error')
    expect(everything(error)).not.toContain(CODE)
    expect(everything(error)).not.toContain('0123456789abcdef')
  })

  it('nor the tokens of a reply that cannot be used', async () => {
    for (const body of [
      { access_token: 'tok-very-secret', token_type: 'mac' },
      '{"access_token":"tok-very-secret"',
      'access_token=tok-very-secret<',
    ]) {
      expect(everything(await failure(refresh({}, { body })))).not.toContain('tok-very-secret')
    }
  })

  it('keeps an honest sentence as it is', async () => {
    const error = await failure(
      refresh(
        {},
        { status: 400, body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' } },
      ),
    )

    expect(error.message).toBe(
      'Odd no longer accepts this connection: access was revoked, has expired, or the password was changed. It said: Token has been expired or revoked.',
    )
  })
})

describe('revoking', () => {
  const tokens = { default: { accessToken: 'acc-123456', refreshToken: REFRESH } }
  const revoke = (changes: Partial<Provider>, reply: Answer, more: Partial<RevokeRequest> = {}) => {
    answer = reply
    return client.revoke({ provider: providerWith(changes), client: app, tokens, params: {}, ...more })
  }
  const rfc = (changes: object = {}): Partial<Provider> => ({
    revoke: {
      method: 'POST',
      url: `${base}/revoke`,
      auth: 'client_post',
      token: { in: 'form', name: 'token' },
      order: ['refresh', 'access'],
      ...changes,
    },
  })

  it('revokes in the provider’s order', async () => {
    expect(await revoke(rfc(), { body: '' })).toEqual({
      supported: true,
      revoked: true,
      message: 'Access was ended at Odd.',
    })

    expect(seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toEqual([
      { token: REFRESH, client_id: 'client_1', client_secret: SECRET },
      { token: 'acc-123456', client_id: 'client_1', client_secret: SECRET },
    ])
  })

  it('GitHub: DELETE with the client’s Basic and a JSON body', async () => {
    const changes: Partial<Provider> = {
      clientAuth: 'post',
      revoke: {
        method: 'DELETE',
        url: `${base}/applications/{client_id}/token`,
        auth: 'client_basic',
        token: { in: 'json', name: 'access_token' },
        order: ['access'],
      },
    }

    expect((await revoke(changes, { status: 204, body: '' })).revoked).toBe(true)
    expect(seen).toMatchObject([
      {
        method: 'DELETE',
        url: '/applications/client_1/token',
        headers: {
          authorization: `Basic ${Buffer.from(`client_1:${SECRET}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: '{"access_token":"acc-123456"}',
      },
    ])
    expect((await revoke(changes, { status: 404, body: { message: 'Not Found' } })).revoked).toBe(true)
    expect((await revoke(changes, { status: 422, body: { message: 'Validation failed' } })).revoked).toBe(false)
  })

  it('Slack: each token ends itself', async () => {
    const changes: Partial<Provider> = {
      ...slack,
      revoke: {
        method: 'POST',
        url: `${base}/api/auth.revoke`,
        auth: 'bearer',
        token: { in: 'none', name: '' },
        order: ['access'],
      },
    }
    const both = { tokens: { bot: { accessToken: 'xoxb-1' }, user: { accessToken: 'xoxp-1' } } }

    expect((await revoke(changes, { body: { ok: true, revoked: true } }, both)).revoked).toBe(true)
    expect(seen.map(({ headers, body }) => [headers['authorization'], body])).toEqual([
      ['Bearer xoxb-1', ''],
      ['Bearer xoxp-1', ''],
    ])
    expect((await revoke(changes, { body: { ok: false, error: 'token_revoked' } }, both)).revoked).toBe(true)
    expect(await revoke(changes, { body: { ok: false, error: 'fatal_error' } }, both)).toMatchObject({
      revoked: false,
      message: 'Access could not be ended at Odd: fatal_error. Remove the app in its account settings.',
    })
    expect((await revoke(changes, { body: { ok: true, revoked: false } }, both)).revoked).toBe(false)
  })

  it('Zoho: the token in the query, at a captured server', async () => {
    const changes: Partial<Provider> = {
      capture: [{ key: 'server', from: 'callback', path: 'accounts-server', pattern: 'http://127\\.0\\.0\\.1:\\d+' }],
      ...rfc({ url: '{server}/revoke', auth: 'none', token: { in: 'query', name: 'token' }, order: ['refresh'] }),
    }

    expect((await revoke(changes, { body: {} }, { captured: { server: base } })).revoked).toBe(true)
    expect(seen).toMatchObject([{ url: `/revoke?token=${REFRESH}`, body: '' }])
    expect((await revoke(changes, { body: {} }, { captured: { server: 'https://evil.test' } })).revoked).toBe(false)
  })

  it('TikTok: the client under its own names, the token under that of the data', async () => {
    await revoke(
      { ...rfc({ order: ['access'] }), renameParams: { client_id: 'client_key', token: 'not_here' } },
      { body: {} },
    )

    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      token: 'acc-123456',
      client_key: 'client_1',
      client_secret: SECRET,
    })
  })

  it('makes one call for each token where it ends the whole grant', async () => {
    const both = {
      tokens: { bot: { accessToken: 'x', refreshToken: 'xr' }, user: { accessToken: 'y', refreshToken: 'yr' } },
    }

    expect((await revoke(rfc({ endsWholeGrant: true }), { body: '' }, both)).revoked).toBe(true)
    expect(seen.map(({ body }) => new URLSearchParams(body).get('token'))).toEqual(['xr', 'yr'])
  })

  it('takes a token that was dead already for ended', async () => {
    expect((await revoke(rfc(), { status: 400, body: { error: 'invalid_token' } })).revoked).toBe(true)
  })

  it.each<[string, Answer, string]>([
    ['a failing server', { status: 503, body: '<html>' }, 'it answered with HTTP 503'],
    [
      'a refusal',
      { status: 400, body: { error: 'unsupported_token_type', error_description: `Not ${REFRESH}` } },
      'Not [redacted]',
    ],
  ])('says what happened with %s', async (_what, reply, why) => {
    expect(await revoke(rfc(), reply)).toEqual({
      supported: true,
      revoked: false,
      message: `Access could not be ended at Odd: ${why}. Remove the app in its account settings.`,
    })
  })

  it('never throws, whatever the network does', async () => {
    const broken = createOAuthClient({ http: () => Promise.reject(new Error(REFRESH)) })

    const result = await broken.revoke({ provider: providerWith(rfc()), client: app, tokens, params: {} })

    expect(result).toMatchObject({ supported: true, revoked: false })
    expect(result.message).not.toContain(REFRESH)
  })

  it('says when there is nothing to do it with', async () => {
    expect(await revoke({}, { body: '' })).toMatchObject({ supported: false, revoked: false })
    expect(seen).toHaveLength(0)
    expect(
      await revoke(rfc({ order: ['refresh'] }), { body: '' }, { tokens: { default: { accessToken: 'x' } } }),
    ).toMatchObject({ supported: true, revoked: false })
  })
})
