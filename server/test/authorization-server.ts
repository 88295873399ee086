import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Adapter, type AdapterPayload, Provider as OidcProvider } from 'oidc-provider'
import type { ClientCredentials } from '../src/core/oauth.ts'
import type { Provider } from '../src/core/provider.ts'

type Context = Parameters<Parameters<OidcProvider['use']>[0]>[0]

/** One request at the token endpoint, before it is acted on. */
export interface TokenCall {
  grantType: string
  /** The one presented, for grant type `refresh_token`. */
  refreshToken?: string
  /** How often this refresh token has been presented, this time included. */
  presented: number
}

/**
 * How an answer of the token endpoint is broken. `*_before`: the server never acts. `*_after`: it acts (spends the code, rotates
 * the token) and the answer is lost.
 */
export type TokenFault = 'drop_before' | 'error_before' | 'drop_after' | 'error_after' | 'page_after' | 'cut_after'

export interface AuthorizationServerOptions {
  /** Seconds; default 3600. */
  accessTokenTtl?: number
  /** Registered redirect addresses; default one made-up https address. */
  redirectUris?: readonly string[]
  clientAuth?: 'basic_encoded' | 'post' | 'none'
  /** Milliseconds each token call waits before it is acted on. */
  tokenDelayMs?: number
  /** Asked before each token call; may wait, and may break the answer. */
  onToken?: (call: TokenCall) => TokenFault | undefined | Promise<TokenFault | undefined>
  /** What the person does at the consent page: grant all, decline, or grant only these scopes. Default all. */
  consent?: () => 'all' | 'none' | readonly string[]
  scopes?: readonly string[]
}

export interface AuthorizationServer {
  issuer: string
  /** Ready to hand to the core. */
  provider: Provider
  client: ClientCredentials
  redirectUri: string
  /** Presented refresh token → how many token calls carried it. */
  refreshCalls: ReadonlyMap<string, number>
  /** Token calls by grant type. */
  tokenCalls: { authorization_code: number; refresh_token: number }
  /** Walks login and consent as a browser would; answers the final redirect, with `code` or `error`. */
  authorize(url: string): Promise<URL>
  /** The account of an access token, or undefined when the server does not accept it. */
  whoIs(accessToken: string): Promise<string | undefined>
  stop(): Promise<void>
}

/**
 * A strict, certified authorization server (oidc-provider) on a free loopback port: PKCE required, refresh tokens
 * rotate, a reused one ends its whole family, `iss` on success and on error.
 */
export async function startAuthorizationServer(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
  const http = createServer()
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

  const scopes = options.scopes ?? ['read', 'write']
  const redirectUris = options.redirectUris ?? ['https://gateway.test/oauth/callback/strict']
  const clientAuth = options.clientAuth ?? 'basic_encoded'
  const client: ClientCredentials = {
    clientId: 'gateway',
    ...(clientAuth !== 'none' && { clientSecret: `s_${randomBytes(24).toString('base64url')}` }),
  }
  const refreshCalls = new Map<string, number>()
  const tokenCalls = { authorization_code: 0, refresh_token: 0 }

  const oidc = new OidcProvider(issuer, {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: client.clientId,
        ...(client.clientSecret !== undefined && { client_secret: client.clientSecret }),
        redirect_uris: [...redirectUris],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
        token_endpoint_auth_method:
          clientAuth === 'post' ? 'client_secret_post' : clientAuth === 'none' ? 'none' : 'client_secret_basic',
      },
    ],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    scopes: ['openid', 'offline_access', ...scopes],
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    ttl: {
      AccessToken: options.accessTokenTtl ?? 3_600,
      AuthorizationCode: 60,
      IdToken: 600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Interaction: 600,
      Session: 600,
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      introspection: { enabled: true },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.type = 'json'
      ctx.body = out
    },
  })

  oidc.use(async (ctx, next) => {
    if (ctx.path.startsWith('/interaction/')) return interact(oidc, ctx, scopes, options.consent?.() ?? 'all')
    if (ctx.path !== '/token') return next()
    const fault = await beforeToken(ctx, options, refreshCalls, tokenCalls)
    if (fault === 'drop_before') return drop(ctx)
    if (fault === 'error_before') return serverError(ctx)
    await next()
    if (fault === 'drop_after') drop(ctx)
    else if (fault === 'cut_after') cut(ctx)
    else if (fault === 'error_after') serverError(ctx)
    else if (fault === 'page_after') {
      ctx.type = 'html'
      ctx.body = '<html><body>Bad gateway</body></html>'
    }
  })
  http.on('request', oidc.callback())

  return {
    issuer,
    client,
    redirectUri: redirectUris[0] ?? '',
    refreshCalls,
    tokenCalls,
    provider: {
      id: 'strict',
      name: 'Strict',
      issuer,
      authorizeUrl: `${issuer}/auth`,
      tokenUrl: `${issuer}/token`,
      revoke: {
        method: 'POST',
        url: `${issuer}/token/revocation`,
        auth: clientAuth === 'post' ? 'client_post' : clientAuth === 'none' ? 'none' : 'client_basic',
        token: { in: 'form', name: 'token' },
        order: ['refresh', 'access'],
      },
      clientAuth,
      pkce: 'S256',
      authorizeParams: { prompt: 'consent' },
      refresh: { rotates: true, graceSeconds: 0 },
      setup: { url: issuer, steps: ['It is set up.'] },
    },
    authorize: (url) => walk(url, redirectUris),
    async whoIs(accessToken) {
      return (await oidc.AccessToken.find(accessToken))?.accountId
    },
    async stop() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
}

async function beforeToken(
  ctx: Context,
  options: AuthorizationServerOptions,
  refreshCalls: Map<string, number>,
  tokenCalls: AuthorizationServer['tokenCalls'],
): Promise<TokenFault | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req) chunks.push(chunk)
  const form = new URLSearchParams(Buffer.concat(chunks).toString())
  // The server takes a body that was read before it.
  Object.assign(ctx.req, { body: Object.fromEntries(form) })

  const grantType = form.get('grant_type') ?? ''
  if (grantType === 'authorization_code' || grantType === 'refresh_token') tokenCalls[grantType]++
  const refreshToken = form.get('refresh_token') ?? undefined
  const presented = refreshToken === undefined ? 0 : (refreshCalls.get(refreshToken) ?? 0) + 1
  if (refreshToken !== undefined) refreshCalls.set(refreshToken, presented)

  if (options.tokenDelayMs) await new Promise((resolve) => setTimeout(resolve, options.tokenDelayMs))
  return options.onToken?.({ grantType, presented, ...(refreshToken !== undefined && { refreshToken }) })
}

function drop(ctx: Context): void {
  ctx.respond = false
  ctx.req.socket.destroy()
}

/** The answer begins and never ends. */
function cut(ctx: Context): void {
  ctx.respond = false
  ctx.res.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
  ctx.res.write('{"access_token":"', () => ctx.req.socket.destroy())
}

function serverError(ctx: Context): void {
  ctx.status = 500
  ctx.type = 'json'
  ctx.body = { error: 'server_error' }
}

/** Logs in as `ann` and grants what the person would. */
async function interact(
  oidc: OidcProvider,
  ctx: Context,
  scopes: readonly string[],
  consent: 'all' | 'none' | readonly string[],
): Promise<void> {
  const interaction = await oidc.interactionDetails(ctx.req, ctx.res)
  if (interaction.prompt.name === 'login') {
    ctx.redirect(await oidc.interactionResult(ctx.req, ctx.res, { login: { accountId: 'ann' } }))
    return
  }
  if (consent === 'none') {
    const refusal = { error: 'access_denied', error_description: 'End-User refused consent' }
    ctx.redirect(await oidc.interactionResult(ctx.req, ctx.res, refusal))
    return
  }
  const grant = new oidc.Grant({ accountId: 'ann', clientId: String(interaction.params['client_id']) })
  const granted = consent === 'all' ? scopes : consent
  grant.addOIDCScope(['openid', 'offline_access', ...granted].join(' '))
  const withheld = scopes.filter((scope) => !granted.includes(scope))
  if (withheld.length > 0) grant.rejectOIDCScope(withheld.join(' '))
  const grantId = await grant.save()
  ctx.redirect(
    await oidc.interactionResult(ctx.req, ctx.res, { consent: { grantId } }, { mergeWithLastSubmission: true }),
  )
}

/** Follows redirects with a cookie jar until one leads back to the client. */
async function walk(start: string, redirectUris: readonly string[]): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = new URL(start)
  for (let hops = 0; hops < 10; hops++) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    const text = await response.text()
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (!location) throw new Error(`The authorization server answered ${response.status} at ${url.pathname}: ${text}`)
    url = new URL(location, url)
    if (redirectUris.some((uri) => url.href.startsWith(uri))) return url
  }
  throw new Error('The authorization server redirected in circles.')
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'test' } as never
}

/** Everything in one Map per server, with the index by grant that family revocation needs. */
function memoryAdapter(): (model: string) => Adapter {
  const rows = new Map<string, AdapterPayload>()
  return (model) => {
    const key = (id: string) => `${model}:${id}`
    const by = async (test: (row: AdapterPayload) => boolean) =>
      [...rows].find(([name, row]) => name.startsWith(`${model}:`) && test(row))?.[1]
    return {
      async upsert(id, payload) {
        rows.set(key(id), payload)
      },
      async find(id) {
        return rows.get(key(id))
      },
      findByUid: (uid) => by((row) => row.uid === uid),
      findByUserCode: (code) => by((row) => row.userCode === code),
      async consume(id) {
        const row = rows.get(key(id))
        if (row) row.consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id) {
        rows.delete(key(id))
      },
      async revokeByGrantId(grantId) {
        for (const [name, row] of rows) if (row.grantId === grantId) rows.delete(name)
      },
    }
  }
}
