import { createHash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { OAuthError } from '../../src/core/oauth.ts'
import { createHttp } from '../../src/net/http.ts'
import { createOAuthClient } from '../../src/oauth/client/oauth-client.ts'
import { type AuthorizationServerOptions, startAuthorizationServer, type TokenFault } from '../authorization-server.ts'

/*
 * Against a certified authorization server that requires PKCE, rotates refresh tokens, ends the family of a reused
 * one and names itself (`iss`) on success and on error.
 */

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(options: AuthorizationServerOptions = {}) {
  const server = await startAuthorizationServer(options)
  const { http, close } = createHttp({ allow: ['loopback'] })
  closing.push(server.stop, close)
  const client = createOAuthClient({ http, timeoutMs: 5_000 })
  const { provider, redirectUri } = server

  async function authorize() {
    const codeVerifier = randomBytes(32).toString('base64url')
    const callback = await server.authorize(
      client.authorizationUrl({
        provider,
        client: server.client,
        redirectUri,
        state: 's',
        codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        scopes: { default: ['read', 'write'] },
        params: {},
      }),
    )
    return { callback: callback.searchParams, codeVerifier }
  }
  const exchange = async (changes: Partial<Parameters<typeof client.exchange>[0]> = {}) =>
    client.exchange({ provider, client: server.client, redirectUri, params: {}, ...(await authorize()), ...changes })
  const refresh = (refreshToken: string | undefined) =>
    client.refresh({
      provider,
      client: server.client,
      tokenName: 'default',
      refreshToken: refreshToken ?? '',
      params: {},
      captured: {},
    })
  return { server, client, authorize, exchange, refresh }
}

async function failure(call: Promise<unknown>): Promise<OAuthError> {
  return call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
}

describe('a strict authorization server', () => {
  it.each(['basic_encoded', 'post', 'none'] as const)(
    'grants a code flow with client authentication %s',
    async (clientAuth) => {
      const { server, exchange } = await start({ clientAuth, accessTokenTtl: 60 })
      const before = Date.now()

      const grant = await exchange()

      expect(grant.issuer).toBe(server.issuer)
      expect(grant.scopes).toEqual({ default: ['read', 'write'] })
      const token = grant.tokens['default']
      expect(await server.whoIs(token?.accessToken ?? '')).toBe('ann')
      expect(token?.refreshToken).toBeTruthy()
      expect(token?.expiresAt).toBeGreaterThanOrEqual(before + 59_000)
      expect(token?.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
    },
  )

  it('refuses a flow without PKCE, naming itself, which arrives as the provider said it', async () => {
    const { server, client } = await start()
    const { provider, redirectUri } = server
    const callback = await server.authorize(
      client.authorizationUrl({
        provider,
        client: server.client,
        redirectUri,
        state: 's',
        scopes: { default: ['read'] },
        params: {},
      }),
    )

    expect(callback.searchParams.get('iss')).toBe(server.issuer)
    expect(
      await failure(
        client.exchange({ provider, client: server.client, redirectUri, callback: callback.searchParams, params: {} }),
      ),
    ).toMatchObject({ code: 'invalid_request', failure: 'configuration' })
  })

  it('refuses another verifier', async () => {
    const { exchange } = await start()

    expect(await failure(exchange({ codeVerifier: randomBytes(32).toString('base64url') }))).toMatchObject({
      code: 'invalid_grant',
      failure: 'user',
      status: 400,
      ambiguous: false,
    })
  })

  it('refuses another redirect address than the one the code was made for', async () => {
    const { exchange } = await start()

    expect((await failure(exchange({ redirectUri: 'https://elsewhere.test/cb' }))).code).toBe('invalid_grant')
  })

  it('refuses a code used twice, and ends what the first use was given', async () => {
    const { server, client, authorize } = await start()
    const request = {
      provider: server.provider,
      client: server.client,
      redirectUri: server.redirectUri,
      params: {},
      ...(await authorize()),
    }

    const grant = await client.exchange(request)
    const error = await failure(client.exchange(request))

    expect(error.code).toBe('invalid_grant')
    expect(await server.whoIs(grant.tokens['default']?.accessToken ?? '')).toBeUndefined()
  })

  it('says a wrong secret is for the administrator', async () => {
    const { exchange } = await start()

    const error = await failure(
      exchange({ client: { clientId: 'gateway', clientSecret: 'wrong-secret-wrong-secret' } }),
    )

    expect(error).toMatchObject({ code: 'invalid_client', failure: 'configuration', status: 401 })
    expect(error.message).not.toContain('wrong-secret')
  })

  it('tells declined consent as such', async () => {
    const { exchange } = await start({ consent: () => 'none' })

    expect(await failure(exchange())).toMatchObject({
      code: 'access_denied',
      failure: 'user',
      message: 'Access to Strict was not granted: the request was declined. It said: End-User refused consent',
    })
  })

  it('reports the scopes that were left ticked', async () => {
    const { exchange } = await start({ consent: () => ['read'] })

    expect((await exchange()).scopes).toEqual({ default: ['read'] })
  })

  it('rotates, and a reused refresh token ends the whole family', async () => {
    const { server, exchange, refresh } = await start()
    const first = (await exchange()).tokens['default']

    const second = (await refresh(first?.refreshToken)).tokens['default']
    const reuse = await failure(refresh(first?.refreshToken))
    const after = await failure(refresh(second?.refreshToken))

    expect(second?.refreshToken).not.toBe(first?.refreshToken)
    expect(reuse).toMatchObject({ code: 'invalid_grant', failure: 'user', ambiguous: false })
    expect(after).toMatchObject({ code: 'invalid_grant', failure: 'user' })
    expect(await server.whoIs(second?.accessToken ?? '')).toBeUndefined()
    expect(server.refreshCalls.get(first?.refreshToken ?? '')).toBe(2)
  })

  it.each<[TokenFault, boolean, boolean]>([
    ['drop_before', true, false],
    ['error_before', true, false],
    ['drop_after', true, true],
    ['cut_after', true, true],
    ['error_after', true, true],
    ['page_after', true, true],
  ])('calls a refresh broken by %s transient and ambiguous', async (fault, ambiguous, acted) => {
    let next: TokenFault | undefined
    const { exchange, refresh } = await start({ onToken: () => next })
    const token = (await exchange()).tokens['default']

    next = fault
    const error = await failure(refresh(token?.refreshToken))
    next = undefined

    expect(error).toMatchObject({ failure: 'transient', ambiguous })
    // Only the server knows whether it acted, which is what ambiguous means.
    const retry = refresh(token?.refreshToken)
    if (acted) expect((await failure(retry)).code).toBe('invalid_grant')
    else expect((await retry).tokens['default']?.accessToken).toBeTruthy()
  })

  it('ends tokens at the provider', async () => {
    const { server, client, exchange, refresh } = await start()
    const { tokens } = await exchange()

    const result = await client.revoke({ provider: server.provider, client: server.client, tokens, params: {} })

    expect(result).toEqual({ supported: true, revoked: true, message: 'Access was ended at Strict.' })
    expect(await server.whoIs(tokens['default']?.accessToken ?? '')).toBeUndefined()
    expect((await failure(refresh(tokens['default']?.refreshToken))).code).toBe('invalid_grant')
  })

  it('says so when tokens could not be ended', async () => {
    const { server, client, exchange } = await start()
    const { tokens } = await exchange()
    const wrong = { clientId: 'gateway', clientSecret: 'wrong-secret-wrong-secret' }

    const result = await client.revoke({ provider: server.provider, client: wrong, tokens, params: {} })

    expect(result).toMatchObject({ supported: true, revoked: false })
    expect(result.message).toMatch(/^Access could not be ended at Strict: .+ Remove the app in its account settings\.$/)
  })
})

describe('the issuer of a callback', () => {
  it('must be the provider’s, on success', async () => {
    const { server, authorize, exchange } = await start()
    const { callback, codeVerifier } = await authorize()
    callback.set('iss', 'https://attacker.test')

    expect(await failure(exchange({ callback, codeVerifier }))).toMatchObject({ code: 'issuer_mismatch' })
    expect(server.tokenCalls.authorization_code).toBe(0)
  })

  it('must be the provider’s, on error', async () => {
    const { exchange } = await start()
    const callback = new URLSearchParams({ error: 'access_denied', iss: 'https://attacker.test', state: 's' })

    expect((await failure(exchange({ callback }))).code).toBe('issuer_mismatch')
  })

  it('is learnt where the provider publishes none, and then pinned', async () => {
    const { server, exchange } = await start()
    const provider = { ...server.provider, issuer: null }

    expect((await exchange({ provider })).issuer).toBe(server.issuer)
    expect((await exchange({ provider, pinnedIssuer: server.issuer })).issuer).toBe(server.issuer)
    expect((await failure(exchange({ provider, pinnedIssuer: 'https://other.test' }))).code).toBe('issuer_mismatch')
  })
})
