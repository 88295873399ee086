import type { RevokeRequest, RevokeResult } from '../../core/oauth.ts'
import { OAuthError } from '../../core/oauth.ts'
import type { Provider, Revocation } from '../../core/provider.ts'
import { transportFailure } from './failures.ts'
import { errorOf, readReply } from './reply.ts'
import { checkedValues, filledUrl } from './template.ts'
import { basicHeader, encodedBody, renamedParam, type Send } from './token-request.ts'

/** Codes by which a provider says that the token was dead already: what was wanted is so. */
const ALREADY_ENDED = new Set([
  'invalid_token',
  'token_revoked',
  'token_expired',
  'expired_token',
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'invalid_grant',
])

/**
 * Ends every token at the provider, in its order, and never throws: whoever disconnects deletes locally whatever is
 * said here. After RFC 7009, where the provider follows it.
 */
export async function revokeTokens(send: Send, request: RevokeRequest): Promise<RevokeResult> {
  const { provider } = request
  const revocation = provider.revoke
  if (!revocation) {
    return {
      supported: false,
      revoked: false,
      message: `${provider.name} has no way to end access from here. Remove the app in its account settings to be sure.`,
    }
  }

  let ended = 0
  const failures: string[] = []
  for (const token of Object.values(request.tokens)) {
    for (const kind of revocation.order) {
      const value = kind === 'refresh' ? token.refreshToken : token.accessToken
      if (value === undefined) continue
      const failure = await revokeOne(send, request, revocation, value, token.accessToken)
      if (failure === undefined) {
        ended++
        // The rest of this token went with it; tokens of other names (Slack's bot and user) are grants of their own.
        if (revocation.endsWholeGrant) break
      } else failures.push(failure)
    }
  }

  if (failures.length === 0 && ended > 0) {
    return { supported: true, revoked: true, message: `Access was ended at ${provider.name}.` }
  }
  const why = failures[0] ?? 'this connection holds no token that it can end'
  return {
    supported: true,
    revoked: false,
    message: `Access could not be ended at ${provider.name}: ${why}. Remove the app in its account settings.`,
  }
}

/** Why it failed, or undefined. */
async function revokeOne(
  send: Send,
  request: RevokeRequest,
  revocation: Revocation,
  token: string,
  accessToken: string,
): Promise<string | undefined> {
  const { provider, client } = request
  const secrets = [token, accessToken, client.clientSecret ?? '']
  try {
    const response = await send(revocationRequest(provider, revocation, request, token, accessToken))
    const reply = readReply(response)
    const said = errorOf(provider, reply, secrets)
    if (said && ALREADY_ENDED.has(said.code)) return undefined
    // GitHub answers 404 about a token it no longer knows; where the address names no token, 404 is a wrong address.
    if (reply.status === 404 && revocation.method === 'DELETE' && revocation.token.in !== 'none') return undefined
    if (said) return said.description ?? said.code
    if (reply.status < 200 || reply.status >= 300) return `it answered with HTTP ${reply.status}`
    return reply.body?.['revoked'] === false ? 'it answered that nothing was revoked' : undefined
  } catch (error) {
    const failure = error instanceof OAuthError ? error : transportFailure(provider, error)
    return failure.message.replace(/\.$/, '')
  }
}

function revocationRequest(
  provider: Provider,
  revocation: Revocation,
  request: RevokeRequest,
  token: string,
  accessToken: string,
): Parameters<Send>[0] {
  const { client } = request
  const values = { ...checkedValues(provider, request.params, request.captured), client_id: client.clientId }
  const url = filledUrl(provider, revocation.url, values)
  const headers: Record<string, string> = { ...provider.tokenHeaders, accept: 'application/json' }
  const params: [string, string][] = []

  const place = revocation.token
  if (place.in === 'query') url.searchParams.set(place.name, token)
  else if (place.in !== 'none') params.push([place.name, token])

  if (revocation.auth === 'bearer') headers['authorization'] = `Bearer ${accessToken}`
  if (revocation.auth === 'client_basic') {
    headers['authorization'] = basicHeader(provider, client.clientId, client.clientSecret ?? '')
  }
  if (revocation.auth === 'client_post') {
    params.push(['client_id', client.clientId])
    if (client.clientSecret) params.push(['client_secret', client.clientSecret])
  }
  if (params.length === 0) return { method: revocation.method, url: url.href, headers }
  // The data names the token's own parameter; only the client's follow the renaming.
  const named = params.map(([name, value], at): [string, string] => [
    at === 0 && name === place.name ? name : renamedParam(provider, name),
    value,
  ])
  const { body, type } = encodedBody({ ...provider, renameParams: {} }, place.in === 'json' ? 'json' : 'form', named)
  return { method: revocation.method, url: url.href, headers: { ...headers, 'content-type': type }, body }
}
