import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Events, OAuth2Server } from 'oauth2-mock-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OAuthError } from '../../src/core/oauth.ts'
import type { Provider } from '../../src/core/provider.ts'
import { createHttp } from '../../src/net/http.ts'
import { createOAuthClient } from '../../src/oauth/client/oauth-client.ts'

/* A published mock server that breaks single answers on demand. It accepts any refresh token. */

const server = new OAuth2Server()
const { http, close } = createHttp({ allow: ['loopback'] })
const client = createOAuthClient({ http })
let provider: Provider

beforeAll(async () => {
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  const issuer = server.issuer.url ?? ''
  provider = {
    id: 'faulty',
    name: 'Faulty',
    issuer: null,
    authorizeUrl: `${issuer}/authorize`,
    tokenUrl: `${issuer}/token`,
    revoke: {
      method: 'POST',
      url: `${issuer}/revoke`,
      auth: 'client_post',
      token: { in: 'form', name: 'token' },
      order: ['refresh'],
    },
    clientAuth: 'basic',
    pkce: 'S256',
    refresh: { rotates: true, graceSeconds: 0 },
    setup: { url: issuer, steps: [] },
  }
})
afterAll(async () => {
  await close()
  await server.stop()
})

const app = { clientId: 'gateway', clientSecret: 'the-secret-of-the-gateway' }
const refresh = (through = client, at = provider) =>
  through.refresh({
    provider: at,
    client: app,
    tokenName: 'default',
    refreshToken: 'any-refresh-token',
    params: {},
    captured: {},
  })

describe('a server that fails now and then', () => {
  it('grants a code flow with PKCE, its id_token left aside', async () => {
    const codeVerifier = randomBytes(32).toString('base64url')
    const start = client.authorizationUrl({
      provider,
      client: app,
      redirectUri: 'https://gateway.test/cb',
      state: 's',
      codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      scopes: { default: ['openid', 'email'] },
      params: {},
    })
    const sent = await fetch(start, { redirect: 'manual' })
    const callback = new URL(sent.headers.get('location') ?? '').searchParams

    const grant = await client.exchange({
      provider,
      client: app,
      redirectUri: 'https://gateway.test/cb',
      callback,
      codeVerifier,
      params: {},
    })

    expect(grant.tokens['default']?.accessToken).toBeTruthy()
    expect(grant.tokens['default']?.expiresAt).toBeGreaterThan(Date.now())
    expect(JSON.stringify(grant)).not.toContain('id_token')
  })

  it.each([
    [
      'a failure',
      500,
      { error: 'server_error' },
      { code: 'server_error', failure: 'transient', status: 500, ambiguous: true },
    ],
    ['an overload', 503, {}, { failure: 'transient', status: 503, ambiguous: true }],
    ['a dead grant', 400, { error: 'invalid_grant' }, { code: 'invalid_grant', failure: 'user', ambiguous: false }],
    [
      'a wrong client',
      401,
      { error: 'invalid_client' },
      { code: 'invalid_client', failure: 'configuration', ambiguous: false },
    ],
    ['a limit', 429, { error: 'slow_down' }, { failure: 'transient', status: 429, ambiguous: false }],
    ['an empty success', 200, '' as const, { failure: 'transient', ambiguous: true }],
  ])('classifies %s and recovers with the next answer', async (_what, statusCode, body, expected) => {
    server.service.once(Events.BeforeResponse, (response) => {
      response.statusCode = statusCode
      response.body = body
    })

    expect(await failure(refresh())).toMatchObject(expected)
    expect((await refresh()).tokens['default']?.accessToken).toBeTruthy()
  })

  it('gives up on an answer that takes too long, not knowing what came of it', async () => {
    // The answer is held until the client has given up.
    let given = () => {}
    const givenUp = new Promise<void>((resolve) => {
      given = resolve
    })
    const slow = createOAuthClient({
      http: async (request) => {
        try {
          return await http(request)
        } finally {
          given()
        }
      },
      timeoutMs: 300,
    })
    const holding = createServer((request, response) => {
      void givenUp.then(() => server.service.requestHandler(request, response))
    })
    await new Promise<void>((ready) => holding.listen(0, '127.0.0.1', ready))
    const tokenUrl = `http://127.0.0.1:${(holding.address() as AddressInfo).port}/token`

    const error = await failure(refresh(slow, { ...provider, tokenUrl }))
    holding.closeAllConnections()
    await new Promise((done) => holding.close(done))

    expect(error).toMatchObject({ code: 'timeout', failure: 'transient', ambiguous: true })
  })

  it('says when revoking failed', async () => {
    const tokens = { default: { accessToken: 'a', refreshToken: 'r' } }
    server.service.once(Events.BeforeRevoke, (response) => {
      response.statusCode = 503
    })

    expect(await client.revoke({ provider, client: app, tokens, params: {} })).toMatchObject({
      supported: true,
      revoked: false,
    })
    expect(await client.revoke({ provider, client: app, tokens, params: {} })).toMatchObject({
      supported: true,
      revoked: true,
    })
  })
})

async function failure(call: Promise<unknown>): Promise<OAuthError> {
  return call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
}
