import * as oauth from 'oauth4webapi'
import type { Token } from '../../core/connection.ts'
import type { Http, HttpResponse } from '../../core/http.ts'
import {
  type ClientCredentials,
  type ExchangeRequest,
  type Grant,
  type OAuthClient,
  OAuthError,
  type RefreshRequest,
} from '../../core/oauth.ts'
import type { Provider } from '../../core/provider.ts'
import { authorizationUrl } from './authorization-url.ts'
import { capturedFromCallback, captureRefused, checkedCallback } from './callback.ts'
import { providerFailure, retryAfterSeconds, type Step, transportFailure, unreadableReply } from './failures.ts'
import {
  errorOf,
  grantedScopes,
  type Reply,
  readReply,
  refreshedPlace,
  regularToken,
  tokenPlaces,
  valueAt,
} from './reply.ts'
import { revokeTokens } from './revoke.ts'
import { checkedValues, filledParams, filledUrl, matchesWhole } from './template.ts'
import { clientAuthentication, providerSender, type Send, tokenFetch } from './token-request.ts'

export interface OAuthClientOptions {
  http: Http
  /**
   * For one request to a provider, milliseconds; default 10 000. Generous, because giving up on a refresh that the
   * provider did carry out costs a rotated token.
   */
  timeoutMs?: number
  /** Epoch ms. */
  now?: () => number
}

/**
 * The client side of OAuth 2 for every provider, driven by its data. oauth4webapi makes the requests and checks the
 * replies; what lies between makes odd replies regular first. No error of it carries a token, a code, a secret
 * or a raw body, not even as its cause.
 */
export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const send = providerSender(options.http, options.timeoutMs ?? 10_000)
  const now = options.now ?? Date.now
  return {
    authorizationUrl,
    exchange: (request) => exchangeCode(send, now, request),
    refresh: (request) => refreshToken(send, now, request),
    revoke: (request) => revokeTokens(send, request),
  }
}

async function exchangeCode(send: Send, now: () => number, request: ExchangeRequest): Promise<Grant> {
  const { provider, client, callback, codeVerifier } = request
  const params = checkedValues(provider, request.params)
  const { parameters, issuer } = checkedCallback(request, params)
  const fromCallback = capturedFromCallback(provider, callback, params)
  const values = checkedValues(provider, request.params, fromCallback)
  const secrets = secretsOf(client, callback.get('code'), codeVerifier)

  const reply = await ask(provider, send, request.signal, (options) =>
    oauth.authorizationCodeGrantRequest(
      endpoint(provider, values),
      { client_id: client.clientId },
      clientAuthentication(provider, client),
      parameters,
      request.redirectUri,
      codeVerifier ?? oauth.nopkce,
      { ...options, additionalParameters: filledParams(provider.tokenParams, values) },
    ),
  )
  const body = successBody(provider, 'exchange', reply, secrets, now())

  const grant: Grant = { tokens: {}, scopes: {}, captured: fromCallback, ...(issuer !== undefined && { issuer }) }
  for (const { name, place } of tokenPlaces(provider, body)) {
    const { token, scopes } = await checkedToken(provider, client, reply, place, now())
    grant.tokens[name] = token
    if (scopes) grant.scopes[name] = scopes
  }
  const names = Object.keys(grant.tokens)
  if (names.length === 0) throw unreadableReply(provider, reply.status, undefined, 'no_token')

  // Some say only in the callback what the person left ticked (Strava).
  const [only] = names
  if (names.length === 1 && only !== undefined && grant.scopes[only] === undefined) {
    const said = grantedScopes(provider, callback.get('scope'))
    if (said && said.length > 0) grant.scopes[only] = said
  }

  const { captured, refused } = capturedFromToken(provider, body)
  if (refused !== undefined) throw captureRefused(provider, refused)
  Object.assign(grant.captured, captured)
  return grant
}

async function refreshToken(send: Send, now: () => number, request: RefreshRequest): Promise<Grant> {
  const { provider, client, tokenName } = request
  const values = checkedValues(provider, request.params, request.captured)
  const secrets = secretsOf(client, request.refreshToken)

  const reply = await ask(provider, send, request.signal, (options) =>
    oauth.refreshTokenGrantRequest(
      endpoint(provider, values),
      { client_id: client.clientId },
      clientAuthentication(provider, client),
      request.refreshToken,
      { ...options, additionalParameters: filledParams(provider.refreshParams, values) },
    ),
  )
  const body = successBody(provider, 'refresh', reply, secrets, now())
  const place = refreshedPlace(provider, body, tokenName)
  if (!place) throw unreadableReply(provider, reply.status, undefined, 'no_token')
  const { token, scopes } = await checkedToken(provider, client, reply, place, now())
  return {
    // Most do not repeat a refresh token that stays good.
    tokens: { [tokenName]: { refreshToken: request.refreshToken, ...token } },
    // A refresh cannot take every scope away: an empty list here is a reply that does not say (Slack).
    scopes: scopes && scopes.length > 0 ? { [tokenName]: scopes } : {},
    // A value that no longer fits is left as it was: failing now would lose the token the provider just issued.
    captured: capturedFromToken(provider, body).captured,
  }
}

type RequestOptions = Pick<oauth.TokenEndpointRequestOptions, typeof oauth.allowInsecureRequests> & {
  [oauth.customFetch]: ReturnType<typeof tokenFetch>
}

/** Lets the library make its request and hands back the reply it never gets to see. */
async function ask(
  provider: Provider,
  send: Send,
  signal: AbortSignal | undefined,
  request: (options: RequestOptions) => Promise<Response>,
): Promise<Reply> {
  let received: HttpResponse | undefined
  try {
    await request({
      // Whether plain http may be used, and where, is for the egress policy to say.
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: tokenFetch(provider, send, signal, (response) => {
        received = response
      }),
    })
  } catch (error) {
    throw error instanceof OAuthError ? error : transportFailure(provider, error)
  }
  if (!received) throw transportFailure(provider, undefined)
  return readReply(received)
}

/** The body of a reply that holds tokens. Throws OAuthError for any other. */
function successBody(
  provider: Provider,
  step: Step,
  reply: Reply,
  secrets: readonly string[],
  now: number,
): Record<string, unknown> {
  const retryAfter = retryAfterSeconds(reply.headers['retry-after'], now)
  const said = errorOf(provider, reply, secrets)
  if (said) throw providerFailure(provider, step, { ...said, status: reply.status, retryAfter })
  if (!reply.body || reply.status < 200 || reply.status >= 300) {
    throw unreadableReply(provider, reply.status, retryAfter, 'garbage')
  }
  return reply.body
}

/** One token, made regular and then checked by the library as if it had come that way. */
async function checkedToken(
  provider: Provider,
  client: ClientCredentials,
  reply: Reply,
  place: Record<string, unknown>,
  now: number,
): Promise<{ token: Token; scopes: string[] | undefined }> {
  const regular = Response.json(regularToken(provider, place, now))
  let checked: oauth.TokenEndpointResponse
  try {
    // The same checks for every grant once the id_token is gone.
    const server = { issuer: provider.issuer ?? provider.tokenUrl }
    checked = await oauth.processRefreshTokenResponse(server, { client_id: client.clientId }, regular)
  } catch {
    // The library's error carries the body: it stays here.
    throw new OAuthError('invalid_reply', `${provider.name} answered with a token this gateway cannot use.`, {
      failure: 'transient',
      status: reply.status,
      ambiguous: true,
    })
  }
  return {
    token: {
      accessToken: checked.access_token,
      ...(checked.refresh_token !== undefined && { refreshToken: checked.refresh_token }),
      ...(checked.expires_in !== undefined && { expiresAt: Math.round(now + checked.expires_in * 1000) }),
      issuedAt: now,
    },
    scopes: checked.scope === undefined ? undefined : checked.scope.split(' ').filter((scope) => scope !== ''),
  }
}

/** Values to keep from the token reply, and the key of the first that does not match its pattern. */
function capturedFromToken(
  provider: Provider,
  body: Record<string, unknown>,
): { captured: Record<string, string>; refused: string | undefined } {
  const captured: Record<string, string> = {}
  let refused: string | undefined
  for (const { key, from, path, pattern } of provider.capture ?? []) {
    const value = from === 'token' ? valueAt(body, path) : undefined
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
    const text = String(value)
    if (pattern !== undefined && !matchesWhole(pattern, text)) refused ??= key
    else if (text !== '') captured[key] = text
  }
  return { captured, refused }
}

function endpoint(provider: Provider, values: Readonly<Record<string, string>>): oauth.AuthorizationServer {
  return {
    issuer: provider.issuer ?? provider.tokenUrl,
    token_endpoint: filledUrl(provider, provider.tokenUrl, values).href,
  }
}

function secretsOf(client: ClientCredentials, ...others: (string | null | undefined)[]): string[] {
  return [client.clientSecret, ...others].filter(
    (secret): secret is string => typeof secret === 'string' && secret !== '',
  )
}
