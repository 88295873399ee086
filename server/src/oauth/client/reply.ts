import type { HttpResponse } from '../../core/http.ts'
import type { Provider } from '../../core/provider.ts'
import { cleanCode, cleanDescription } from './clean-text.ts'

/** A token endpoint's answer, read but not yet trusted. */
export interface Reply {
  status: number
  headers: Readonly<Record<string, string>>
  /** The object it held, as JSON or form; undefined for anything else. */
  body: Record<string, unknown> | undefined
}

/** What a reply says went wrong, cleaned. */
export interface Said {
  code: string
  description?: string | undefined
}

/** Reads JSON or a form (GitHub without an Accept header, old Facebook). A page, a list or broken JSON has no body. */
export function readReply(response: HttpResponse): Reply {
  const text = response.body
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trim()
  const type = response.headers['content-type'] ?? ''
  return { status: response.status, headers: response.headers, body: jsonObject(text) ?? formObject(text, type) }
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function formObject(text: string, type: string): Record<string, unknown> | undefined {
  if (/html|json|xml/i.test(type) || !/^[\w.-]+=[^<>{}\s]*$/.test(text)) return undefined
  return Object.fromEntries(new URLSearchParams(text))
}

/**
 * The error a reply names, or undefined when it names none. Besides `errorWhen` and RFC 6749 §5.2 it understands
 * errors under a success status, and errors that are objects (`{ error: { code, message } }`).
 */
export function errorOf(provider: Provider, reply: Reply, secrets: readonly string[]): Said | undefined {
  const { body, status } = reply
  // A bare 401 can only mean the client; a page behind one is some proxy's.
  if (!body)
    return status === 401 && !/html/i.test(reply.headers['content-type'] ?? '') ? { code: 'invalid_client' } : undefined
  const rule = provider.errorWhen
  if (rule && happened(rule.is, valueAt(body, rule.path))) {
    return {
      code: cleanCode(valueAt(body, rule.code), secrets) ?? 'unknown_error',
      description: cleanDescription(
        rule.description === undefined ? body['error_description'] : valueAt(body, rule.description),
        secrets,
      ),
    }
  }

  const error = body['error']
  const nested = isObject(error) ? error : undefined
  const code = nested ? (nested['code'] ?? nested['type']) : error
  const failed = status < 200 || status >= 300
  const named = nested !== undefined || (typeof error === 'string' && error !== '')
  // Under a success status, only an error without tokens is one.
  if (!failed && !(named && tokenPlaces(provider, body).length === 0)) return undefined
  if (failed && !named && body['code'] === undefined && body['message'] === undefined && body['errors'] === undefined) {
    return undefined
  }
  return {
    code: cleanCode(code, secrets) ?? cleanCode(body['code'], secrets) ?? 'unknown_error',
    description: cleanDescription(
      body['error_description'] ??
        nested?.['message'] ??
        body['message'] ??
        (typeof error === 'string' && !cleanCode(error, secrets) ? error : undefined),
      secrets,
    ),
  }
}

function happened(is: 'false' | 'present' | 'nonzero', value: unknown): boolean {
  if (is === 'false') return value === false || value === 'false'
  if (is === 'present') return value !== undefined && value !== null && value !== '' && value !== false
  return value !== undefined && value !== null && Number(value) !== 0
}

/** Each named token the reply holds, with the object it lies in. */
export function tokenPlaces(
  provider: Provider,
  body: Record<string, unknown>,
): { name: string; place: Record<string, unknown> }[] {
  return Object.entries(provider.tokenAt ?? { default: '$' }).flatMap(([name, path]) => {
    const place = valueAt(body, path)
    return isObject(place) && isText(place['access_token']) ? [{ name, place }] : []
  })
}

/** Where a refreshed token lies: at its place, or at the root, where some answer the refresh of a nested token. */
export function refreshedPlace(
  provider: Provider,
  body: Record<string, unknown>,
  tokenName: string,
): Record<string, unknown> | undefined {
  const place = tokenPlaces(provider, body).find(({ name }) => name === tokenName)?.place
  return place ?? (isText(body['access_token']) ? body : undefined)
}

/**
 * The object of one token as RFC 6749 §5.1 wants it, so that every check of the library runs on it: a usable
 * `token_type`, `scope` as blank-separated text, a lifetime only where there is one, and no id_token, which nobody
 * here could verify or needs.
 */
export function regularToken(
  provider: Provider,
  place: Readonly<Record<string, unknown>>,
  now: number,
): Record<string, unknown> {
  const { id_token: _unverifiable, token_type, scope, expires_in, refresh_token, ...rest } = place
  const type = typeof token_type === 'string' ? token_type.toLowerCase() : ''
  const scopes = grantedScopes(provider, scope)
  const lifetime = lifetimeSeconds(expires_in, place['expires_at'], now) ?? provider.refresh.defaultExpiresIn
  return {
    ...rest,
    // Proof-of-possession kinds cannot be used as bearer tokens: left as they are, they are refused.
    token_type: type === 'mac' || type === 'dpop' ? `unsupported-${type}` : 'bearer',
    ...(scopes !== undefined && { scope: scopes.join(' ') }),
    ...(lifetime !== undefined && { expires_in: lifetime }),
    ...(isText(refresh_token) && { refresh_token }),
  }
}

/** Scopes of a reply, be they a list, or text with blanks or the provider's separator between them. */
export function grantedScopes(provider: Provider, scope: unknown): string[] | undefined {
  if (Array.isArray(scope))
    return [...new Set(scope.filter((one) => isText(one) || typeof one === 'number').map(String))]
  if (typeof scope !== 'string') return undefined
  const separator = provider.scopeSeparatorInReply ?? provider.scopeSeparator ?? ' '
  return [...new Set(scope.split(separator === ',' ? /[\s,]+/ : /\s+/).filter((one) => one !== ''))]
}

/** A century: longer is a mistake of the sender, and dates stay exact. */
const MAX_LIFETIME_SECONDS = 3_155_760_000

function lifetimeSeconds(expiresIn: unknown, expiresAt: unknown, now: number): number | undefined {
  // Zero or less means never (Mailchimp).
  const relative = isText(expiresIn) || typeof expiresIn === 'number' ? Number(expiresIn) : Number.NaN
  if (Number.isFinite(relative)) return relative > 0 ? Math.min(relative, MAX_LIFETIME_SECONDS) : undefined
  const moment = momentMs(expiresAt)
  return moment === undefined ? undefined : Math.min(Math.max((moment - now) / 1000, 0), MAX_LIFETIME_SECONDS)
}

/** Epoch ms of a date text, epoch seconds or epoch milliseconds. */
function momentMs(value: unknown): number | undefined {
  if (typeof value !== 'number' && !isText(value)) return undefined
  const number = Number(value)
  const moment = Number.isFinite(number)
    ? number > 100_000_000_000
      ? number
      : number * 1000
    : Date.parse(String(value))
  return Number.isFinite(moment) && moment > 0 ? moment : undefined
}

/** The value at a dotted path; `$` is the whole. Own members only. */
export function valueAt(body: unknown, path: string): unknown {
  if (path === '$') return body
  let value = body
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
