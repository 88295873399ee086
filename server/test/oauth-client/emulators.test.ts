import { createHash, randomBytes } from 'node:crypto'
import { createEmulator, type Emulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { githubProvider } from '../../src/connectors/providers/github.ts'
import { googleProvider } from '../../src/connectors/providers/google.ts'
import { slackProvider } from '../../src/connectors/providers/slack.ts'
import type { ExchangeRequest, OAuthError } from '../../src/core/oauth.ts'
import type { Provider } from '../../src/core/provider.ts'
import { createHttp } from '../../src/net/http.ts'
import { createOAuthClient } from '../../src/oauth/client/oauth-client.ts'

/* The provider records that ship, against emulators of those services that others publish; only addresses differ. */

const REDIRECT_URI = 'https://gateway.test/oauth/callback'
const APP = { clientId: 'the-client', clientSecret: 'the-secret_of.the-client' }

const microsoftProvider: Provider = {
  id: 'microsoft',
  name: 'Microsoft',
  issuer: null,
  authorizeUrl: 'https://login.microsoftonline.com/oauth2/v2.0/authorize',
  tokenUrl: 'https://login.microsoftonline.com/oauth2/v2.0/token',
  clientAuth: 'post',
  pkce: 'S256',
  refresh: { rotates: true, graceSeconds: 0 },
  setup: { url: 'https://entra.microsoft.com', steps: [] },
}

interface Emulated {
  service: 'google' | 'github' | 'slack' | 'microsoft'
  provider: Provider
  authorizePath: string
  tokenPath: string
  scopes: Record<string, string[]>
  refreshes: boolean
  checksPkce: boolean
  wrongSecret: string
  wrongCode: string
}

const EMULATED: Emulated[] = [
  {
    service: 'google',
    provider: googleProvider,
    authorizePath: '/o/oauth2/v2/auth',
    tokenPath: '/oauth2/token',
    scopes: { default: ['openid', 'email', 'https://www.googleapis.com/auth/gmail.readonly'] },
    refreshes: true,
    checksPkce: true,
    wrongSecret: 'invalid_client',
    wrongCode: 'invalid_grant',
  },
  {
    service: 'github',
    provider: githubProvider,
    authorizePath: '/login/oauth/authorize',
    tokenPath: '/login/oauth/access_token',
    scopes: { default: ['repo', 'read:user'] },
    refreshes: false,
    checksPkce: false,
    wrongSecret: 'incorrect_client_credentials',
    wrongCode: 'bad_verification_code',
  },
  {
    service: 'slack',
    provider: slackProvider,
    authorizePath: '/oauth/v2/authorize',
    tokenPath: '/api/oauth.v2.access',
    scopes: { bot: ['chat:write', 'channels:read'], user: ['users:read'] },
    refreshes: false,
    checksPkce: false,
    wrongSecret: 'invalid_client_id',
    wrongCode: 'invalid_code',
  },
  {
    service: 'microsoft',
    provider: microsoftProvider,
    authorizePath: '/oauth2/v2.0/authorize',
    tokenPath: '/oauth2/v2.0/token',
    scopes: { default: ['openid', 'email', 'offline_access'] },
    refreshes: true,
    checksPkce: true,
    wrongSecret: 'invalid_client',
    wrongCode: 'invalid_grant',
  },
]

describe.each(EMULATED)('$service, emulated', (emulated) => {
  const { http, close } = createHttp({ allow: ['loopback'] })
  const client = createOAuthClient({ http })
  let emulator: Emulator
  let provider: Provider

  beforeAll(async () => {
    const oauthClient = {
      client_id: APP.clientId,
      client_secret: APP.clientSecret,
      name: 'Gateway',
      redirect_uris: [REDIRECT_URI],
    }
    emulator = await createEmulator({
      service: emulated.service,
      port: 0,
      seed: {
        [emulated.service]:
          emulated.service === 'google' || emulated.service === 'microsoft'
            ? { users: [{ email: 'ann@example.com', name: 'Ann' }], oauth_clients: [oauthClient] }
            : {
                users: [{ login: 'ann', name: 'ann', email: 'ann@example.com' }],
                oauth_apps: [{ ...oauthClient, scopes: emulated.scopes['bot'], user_scopes: emulated.scopes['user'] }],
              },
      },
    })
    provider = {
      ...emulated.provider,
      authorizeUrl: `${emulator.url}${emulated.authorizePath}`,
      tokenUrl: `${emulator.url}${emulated.tokenPath}`,
    }
  })
  afterAll(async () => {
    await close()
    await emulator.close()
  })

  /** Opens the consent page and presses its first button. */
  async function consent(redirectUri = REDIRECT_URI): Promise<Pick<ExchangeRequest, 'callback' | 'codeVerifier'>> {
    const codeVerifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(codeVerifier).digest('base64url')
    const page = await fetch(
      client.authorizationUrl({
        provider,
        client: APP,
        redirectUri,
        state: 'the-state',
        scopes: emulated.scopes,
        params: {},
        ...(provider.pkce === 'S256' && { codeChallenge: challenge }),
      }),
    )
    const html = await page.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1]
    if (!action) throw new Error(`No consent form (HTTP ${page.status}).`)
    const form = /<form[\s\S]*?<\/form>/.exec(html)?.[0] ?? ''
    const fields = [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    const answer = await fetch(new URL(action, emulator.url), {
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'manual',
    })
    const location = new URL(answer.headers.get('location') ?? '')
    expect(location.searchParams.get('state')).toBe('the-state')
    return { callback: location.searchParams, ...(provider.pkce === 'S256' && { codeVerifier }) }
  }

  async function exchange(changes: Partial<ExchangeRequest> = {}) {
    return client.exchange({
      provider,
      client: APP,
      redirectUri: REDIRECT_URI,
      params: {},
      ...(await consent()),
      ...changes,
    })
  }

  const refresh = (tokenName: string, refreshToken: string) =>
    client.refresh({ provider, client: APP, tokenName, refreshToken, params: {}, captured: {} })

  it('grants every token asked for, with its scopes', async () => {
    const grant = await exchange()

    expect(Object.keys(grant.tokens)).toEqual(Object.keys(emulated.scopes))
    for (const [name, asked] of Object.entries(emulated.scopes)) {
      expect(grant.tokens[name]?.accessToken).toBeTruthy()
      expect(grant.scopes[name] ?? asked).toEqual(expect.arrayContaining(asked))
    }
    if (emulated.service === 'slack') expect(grant.captured['team_id']).toMatch(/^T/)
  })

  it('refuses a wrong secret, which is for the administrator', async () => {
    const error = await failure(exchange({ client: { ...APP, clientSecret: 'another-secret-entirely' } }))

    expect(error).toMatchObject({ code: emulated.wrongSecret, failure: 'configuration', ambiguous: false })
    expect(error.message).not.toContain('another-secret-entirely')
  })

  it('shows no consent page for a redirect address that is not registered', async () => {
    await expect(consent('https://elsewhere.test/cb')).rejects.toThrow(/No consent form/)
  })

  it('refuses a code used twice', async () => {
    const flow = await consent()

    await exchange(flow)

    expect(await failure(exchange(flow))).toMatchObject({ code: emulated.wrongCode, failure: 'user', ambiguous: false })
  })

  it.runIf(emulated.checksPkce)('refuses another verifier', async () => {
    expect(await failure(exchange({ codeVerifier: randomBytes(32).toString('base64url') }))).toMatchObject({
      code: 'invalid_grant',
      failure: 'user',
    })
  })

  it.runIf(emulated.refreshes)('refreshes, and refuses a refresh token that was never issued', async () => {
    const first = (await exchange()).tokens['default']

    const second = (await refresh('default', first?.refreshToken ?? '')).tokens['default']

    expect(second?.accessToken).not.toBe(first?.accessToken)
    expect(second?.expiresAt).toBeGreaterThan(Date.now())
    expect(second?.refreshToken !== first?.refreshToken).toBe(provider.refresh.rotates)
    expect(await failure(refresh('default', 'never-issued-0123456789'))).toMatchObject({
      code: 'invalid_grant',
      failure: 'user',
    })
  })
})

async function failure(call: Promise<unknown>): Promise<OAuthError> {
  return call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
}
