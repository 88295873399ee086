import type { AuthorizationRequest } from '../../core/oauth.ts'
import { checkedValues, filledParams, filledUrl } from './template.ts'
import { renamedParam } from './token-request.ts'

/** The address to send the browser to (RFC 6749 §4.1.1, RFC 7636 §4.3). Throws OAuthError `bad_parameter`. */
export function authorizationUrl(request: AuthorizationRequest): string {
  const { provider } = request
  const values = { ...checkedValues(provider, request.params), client_id: request.client.clientId }
  const url = filledUrl(provider, provider.authorizeUrl, values)

  const params = new URLSearchParams(url.search)
  const set = (name: string, value: string) => params.set(renamedParam(provider, name), value)
  for (const [name, value] of Object.entries(filledParams(provider.authorizeParams, values))) params.set(name, value)
  for (const [token, param] of Object.entries(provider.scopeParams ?? { default: 'scope' })) {
    const scopes = [...new Set(request.scopes[token] ?? [])]
    if (scopes.length > 0) set(param, scopes.join(provider.scopeSeparator ?? ' '))
  }
  if (request.loginHint) set('login_hint', request.loginHint)
  if (request.codeChallenge && provider.pkce === 'S256') {
    set('code_challenge', request.codeChallenge)
    set('code_challenge_method', 'S256')
  }
  set('response_type', 'code')
  set('client_id', request.client.clientId)
  set('redirect_uri', request.redirectUri)
  set('state', request.state)

  // Blanks as %20: every server reads it, while some take a + for itself.
  url.search = params.toString().replaceAll('+', '%20')
  return url.href
}
