import type { Token } from './connection.ts'
import type { Provider, RefreshFailureClass } from './provider.ts'

/** The OAuth client as the core sees it; `oauth/client` implements it. Nothing here is stored: the core does that. */
export interface OAuthClient {
  /** The address to send the browser to. */
  authorizationUrl(request: AuthorizationRequest): string
  /**
   * Checks the callback (state is checked by the core, `iss` here) and redeems its code.
   * Throws OAuthError.
   */
  exchange(request: ExchangeRequest): Promise<Grant>
  /** Trades a refresh token. Throws OAuthError, whose `failure` says what to do about it. */
  refresh(request: RefreshRequest): Promise<Grant>
  /** Ends tokens at the provider, best effort, in the provider's order; says what happened to each. */
  revoke(request: RevokeRequest): Promise<RevokeResult>
}

/** A project's client at a provider, opened for the moment of use. */
export interface ClientCredentials {
  clientId: string
  /** Absent for a public client. */
  clientSecret?: string
}

export interface AuthorizationRequest {
  provider: Provider
  client: Pick<ClientCredentials, 'clientId'>
  redirectUri: string
  state: string
  /** S256 challenge; left out where the provider's `pkce` is `off`. */
  codeChallenge?: string
  /** Token name → scopes to ask for. */
  scopes: Readonly<Record<string, readonly string[]>>
  /** Connection parameters, already checked. */
  params: Readonly<Record<string, string>>
  /** Asks the provider to show this account first, where it supports that. */
  loginHint?: string
}

export interface ExchangeRequest {
  provider: Provider
  client: ClientCredentials
  redirectUri: string
  /** Everything the callback's query carried. */
  callback: URLSearchParams
  codeVerifier?: string
  params: Readonly<Record<string, string>>
  /** Issuer pinned for this provider earlier, where it publishes none. */
  pinnedIssuer?: string
  signal?: AbortSignal
}

export interface RefreshRequest {
  provider: Provider
  client: ClientCredentials
  tokenName: string
  refreshToken: string
  params: Readonly<Record<string, string>>
  captured: Readonly<Record<string, string>>
  signal?: AbortSignal
}

export interface RevokeRequest {
  provider: Provider
  client: ClientCredentials
  tokens: Readonly<Record<string, Token>>
  params: Readonly<Record<string, string>>
  /** Needed where the provider's revocation address holds a captured value. */
  captured?: Readonly<Record<string, string>>
}

/** What a token endpoint gave, made regular. */
export interface Grant {
  tokens: Record<string, Token>
  /** Token name → granted scopes; absent when the reply did not say (then: as asked). */
  scopes: Record<string, readonly string[]>
  captured: Record<string, string>
  /** `iss` of the callback, where one came. */
  issuer?: string
}

export interface RevokeResult {
  /** Provider has no revocation endpoint: nothing to do there. */
  supported: boolean
  revoked: boolean
  /** Sentence for the person, without secrets. */
  message: string
}

/** A step with the provider that failed, classified once, where the reply is at hand. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  /** RFC 6749 code or the provider's own (`invalid_grant`, `bad_verification_code`, `network`, `timeout`…). */
  readonly code: string
  readonly failure: RefreshFailureClass
  readonly status: number | undefined
  /** Seconds, from Retry-After. */
  readonly retryAfter: number | undefined
  /** The provider may have acted although we saw no answer (timeout or broken connection after sending). */
  readonly ambiguous: boolean

  constructor(
    code: string,
    message: string,
    options: {
      failure: RefreshFailureClass
      status?: number | undefined
      retryAfter?: number | undefined
      ambiguous?: boolean
      cause?: unknown
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.failure = options.failure
    this.status = options.status
    this.retryAfter = options.retryAfter
    this.ambiguous = options.ambiguous ?? false
  }
}
