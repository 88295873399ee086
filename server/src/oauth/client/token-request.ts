import * as oauth from 'oauth4webapi'
import type { Http, HttpResponse } from '../../core/http.ts'
import type { ClientCredentials } from '../../core/oauth.ts'
import type { Provider } from '../../core/provider.ts'

/** Far beyond any token reply, far below what would hurt. */
const MAX_REPLY_BYTES = 262_144

/** One request to a provider with the client's proof of itself. Throws PatchbayError. */
export type Send = (request: {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal | undefined
}) => Promise<HttpResponse>

export function providerSender(http: Http, timeoutMs: number): Send {
  return (request) => http({ ...request, timeoutMs, maxBytes: MAX_REPLY_BYTES })
}

/**
 * How the client proves itself, as oauth4webapi takes it. Raw Basic is ours: the library percent-encodes id and
 * secret as RFC 6749 §2.3.1 says, and most services never decode them.
 */
export function clientAuthentication(provider: Provider, client: ClientCredentials): oauth.ClientAuth {
  const secret = client.clientSecret
  if (!secret || provider.clientAuth === 'none') return oauth.None()
  if (provider.clientAuth === 'post') return oauth.ClientSecretPost(secret)
  return (_as, _client, _body, headers) => headers.set('authorization', basicHeader(provider, client.clientId, secret))
}

/** The Authorization header of Basic, raw or encoded as the provider reads it. */
export function basicHeader(provider: Provider, clientId: string, clientSecret: string): string {
  const form = provider.clientAuth === 'basic_encoded' ? formEncoded : (text: string) => text
  return `Basic ${Buffer.from(`${form(clientId)}:${form(clientSecret)}`).toString('base64')}`
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/**
 * The library's request, sent the provider's way: parameters under its own names, as form or JSON, through our door.
 * `keep` gets the answer; what goes back to the library is never read by it.
 */
export function tokenFetch(
  provider: Provider,
  send: Send,
  signal: AbortSignal | undefined,
  keep: (response: HttpResponse) => void,
) {
  return async (url: string, options: oauth.CustomFetchOptions<'POST', URLSearchParams>): Promise<Response> => {
    const { body, type } = encodedBody(provider, provider.tokenBody ?? 'form', options.body)
    const { 'user-agent': _ofTheLibrary, ...headers } = options.headers
    Object.assign(headers, provider.tokenHeaders, { 'content-type': type })
    keep(await send({ method: 'POST', url, headers, body, signal }))
    return new Response(null)
  }
}

/** Parameters under the provider's own names, as form or JSON. */
export function encodedBody(
  provider: Provider,
  as: 'form' | 'json',
  params: Iterable<[string, string]>,
): { body: string; type: string } {
  const renamed = [...params].map(([name, value]): [string, string] => [renamedParam(provider, name), value])
  return as === 'json'
    ? { body: JSON.stringify(Object.fromEntries(renamed)), type: 'application/json' }
    : { body: new URLSearchParams(renamed).toString(), type: 'application/x-www-form-urlencoded' }
}

export function renamedParam(provider: Provider, name: string): string {
  const names = provider.renameParams
  return names && Object.hasOwn(names, name) ? (names[name] as string) : name
}
