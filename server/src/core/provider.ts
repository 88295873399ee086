import type { Account } from './connection.ts'

/**
 * An OAuth service as data. Connectors of one vendor share a provider (`google` serves gmail, drive, calendar…).
 * Every odd habit of a token endpoint is a field here, never code: `oauth/client` reads them.
 */
export interface Provider {
  id: string
  name: string
  /** RFC 9207 / RFC 8414 issuer. `null`: the provider publishes none, so a callback's `iss` is learnt, then pinned. */
  issuer: string | null
  /** Addresses may hold `{key}` of `connectionParams`. */
  authorizeUrl: string
  tokenUrl: string
  revoke?: Revocation
  /**
   * How the client proves itself at the token endpoint. `basic` sends id and secret raw in the Basic header as most
   * services expect; `basic_encoded` percent-encodes them first (RFC 6749 §2.3.1).
   */
  clientAuth: 'basic' | 'basic_encoded' | 'post' | 'none'
  /** Encoding of token requests. */
  tokenBody?: 'form' | 'json'
  pkce: 'S256' | 'off'
  scopeSeparator?: ' ' | ','
  /** Separator in the granted `scope` of a reply, where it differs. */
  scopeSeparatorInReply?: ' ' | ','
  /** Token name → the authorize parameter that carries its scopes. Default `{ default: 'scope' }`. */
  scopeParams?: Readonly<Record<string, string>>
  authorizeParams?: Readonly<Record<string, string>>
  /** Extra parameters of the code exchange and of a refresh. */
  tokenParams?: Readonly<Record<string, string>>
  refreshParams?: Readonly<Record<string, string>>
  /** Extra headers of token requests. */
  tokenHeaders?: Readonly<Record<string, string>>
  /** Standard parameter name → the provider's own (TikTok's `client_key`). Applies to authorize and token requests. */
  renameParams?: Readonly<Record<string, string>>
  /** A reply that is an error though its status says success. */
  errorWhen?: { path: string; is: 'false' | 'present' | 'nonzero'; code: string; description?: string }
  /** Token name → path of the object that holds it in the reply (`$` is the root). Default `{ default: '$' }`. */
  tokenAt?: Readonly<Record<string, string>>
  /** Values kept from the callback's query or the token reply (team, realm, instance address). */
  capture?: readonly Capture[]
  /** What a person may have to say before connecting (a shop, a host). Every value is checked against its pattern. */
  connectionParams?: readonly ConnectionParam[]
  refresh: {
    /** A refresh answers a new refresh token and ends the old one. */
    rotates: boolean
    /** Seconds the previous refresh token still works after a rotation; 0 when unknown. */
    graceSeconds: number
    /** Life of an access token whose reply has no `expires_in`, seconds; absent: it does not expire by itself. */
    defaultExpiresIn?: number
  }
  /**
   * Where the provider itself says who granted, for services whose own address cannot (OpenID Connect Core §5.3).
   * Asked with the default token and before the connector's `account`, which is left for grants this address refuses
   * (401, 403: a token brought from elsewhere without identity scopes).
   */
  identity?: { url: string; account: (answer: any) => Account }
  /** The provider's error code at the token endpoint → what it means, beyond the standard ones. */
  errors?: Readonly<Record<string, RefreshFailureClass>>
  /** How an administrator makes an OAuth app there, shown beside the form. */
  setup: { url: string; steps: readonly string[] }
}

export interface Revocation {
  method: 'POST' | 'DELETE'
  /** May hold `{client_id}` and connection parameters. */
  url: string
  auth: 'none' | 'client_basic' | 'client_post' | 'bearer'
  /** Where the token goes. */
  token: { in: 'form' | 'json' | 'query' | 'none'; name: string }
  /** Which tokens to revoke, in order. */
  order: readonly ('refresh' | 'access')[]
  /** One call ends the whole grant of this user and client, other connections included. */
  endsWholeGrant?: boolean
}

export interface Capture {
  key: string
  from: 'callback' | 'token'
  /** Dotted path in the reply, or the query parameter's name. */
  path: string
  /** A captured host or address must match, or connecting fails. */
  pattern?: string
}

export interface ConnectionParam {
  key: string
  label: string
  required: boolean
  default?: string
  /** Anchored regular expression the whole value must match. */
  pattern: string
  help?: string
}

/**
 * Why a refresh failed, which decides what happens to the connection:
 * `transient` backs off, `configuration` waits for an administrator, `user` and `policy` need the user to reconnect.
 */
export type RefreshFailureClass = 'transient' | 'configuration' | 'user' | 'policy'
