import type { Connection } from './connection.ts'
import type { Connector, Failure } from './connector.ts'
import { PatchbayError } from './errors.ts'
import type { HttpResponse } from './http.ts'
import { cleanText } from './untrusted.ts'

/** What went wrong by the service's own word, or by its status; undefined when nothing did. */
export function failureOf(connector: Connector, response: HttpResponse, body: unknown): Failure | undefined {
  const own = body === undefined || body === null ? undefined : connector.failure?.(body)
  if (own) return own
  if (response.status < 300) return undefined
  const said = messageIn(body)
  return { code: `http_${response.status}`, ...(said && { message: said }) }
}

/** The sentence most JSON APIs put into an error, wherever they put it. */
function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { error, message, error_description: description, errors } = body as Record<string, unknown>
  const detail = Array.isArray(errors)
    ? errors
        .map((one) => messageIn(one) ?? (typeof one === 'string' ? one : undefined))
        .filter(Boolean)
        .slice(0, 3)
        .join('; ')
    : ''
  const main = [description, message, typeof error === 'object' ? messageIn(error) : error].find(
    (text) => typeof text === 'string',
  ) as string | undefined
  return [main, detail].filter(Boolean).join(': ') || undefined
}

/** The failure as the error a caller gets; the sentence is cleaned and bounded. */
export function serviceError(
  connector: Connector,
  connection: Connection,
  response: HttpResponse,
  failure: Failure,
): PatchbayError {
  const { status } = response
  const sentence = cleanText((failure.message ?? failure.code).replace(/\p{Cc}+/gu, ' ')).slice(0, 500)
  const details = { service: connector.id, error: failure.code }
  const kind = kindOf(response, failure)
  if (kind === 'rate_limited') {
    const retryAfter = retryAfterSeconds(response) ?? 30
    return new PatchbayError(
      'rate_limited',
      `${connector.name} limits how often it may be called: ${sentence}. Try again in ${retryAfter} s.`,
      {
        retryAfter,
        providerStatus: status,
        details,
      },
    )
  }
  switch (kind) {
    case 'unauthorized':
      return new PatchbayError(
        'needs_reauth',
        `${connector.name} no longer accepts the access of "${connection.label}": ${sentence}`,
        {
          providerStatus: status,
          details: { ...details, reason: failure.code },
        },
      )
    case 'missing_scope':
      return new PatchbayError(
        'missing_scope',
        `${connector.name} says that a permission is missing${failure.scope ? ` (${failure.scope})` : ''}: ${sentence}`,
        {
          providerStatus: status,
          details: { ...details, ...(failure.scope && { scope: failure.scope }) },
        },
      )
    case 'unavailable': {
      const retryAfter = retryAfterSeconds(response)
      return new PatchbayError('provider_unavailable', `${connector.name} failed: ${sentence}`, {
        providerStatus: status,
        details,
        ...(retryAfter !== undefined && { retryAfter }),
      })
    }
    default:
      return new PatchbayError('provider_rejected', `${connector.name}: ${sentence}`, {
        providerStatus: status,
        details,
      })
  }
}

/** How the gateway treats the failure. */
export function kindOf(response: HttpResponse, failure: Failure): NonNullable<Failure['as']> {
  const { status } = response
  if (failure.as) return failure.as
  if (status === 401) return 'unauthorized'
  if (isRateLimit(response)) return 'rate_limited'
  if (status >= 500) return 'unavailable'
  return status === 404 ? 'not_found' : 'rejected'
}

/** 429, or GitHub's way: 403 with headers that say so. */
export function isRateLimit({ status, headers }: HttpResponse): boolean {
  if (status === 429) return true
  return status === 403 && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)
}

/** Seconds a service asks to wait: `Retry-After` (RFC 9110 §10.2.3), or GitHub's reset time. */
export function retryAfterSeconds(response: HttpResponse): number | undefined {
  const header = response.headers['retry-after']
  if (header) {
    const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
    if (Number.isFinite(seconds)) return Math.max(1, Math.ceil(seconds))
  }
  const reset = Number(response.headers['x-ratelimit-reset'])
  if (response.headers['x-ratelimit-remaining'] === '0' && reset > 0)
    return Math.max(1, Math.ceil(reset - Date.now() / 1000))
  return undefined
}
