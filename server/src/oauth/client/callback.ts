import * as oauth from 'oauth4webapi'
import { type ExchangeRequest, OAuthError } from '../../core/oauth.ts'
import type { Provider } from '../../core/provider.ts'
import { cleanCode, cleanDescription } from './clean-text.ts'
import { providerFailure } from './failures.ts'
import { filledUrl, matchesWhole } from './template.ts'

export interface CheckedCallback {
  /** Branded by the library, as its grant request wants them. */
  parameters: URLSearchParams
  /** `iss`, where one came. */
  issuer: string | undefined
}

/**
 * Checks what the browser brought back: `iss` first, on errors too (RFC 9207 §2.4), then the provider's error, then that
 * there is one code. State has been checked by the caller. Throws OAuthError.
 */
export function checkedCallback(
  request: Pick<ExchangeRequest, 'provider' | 'callback' | 'pinnedIssuer'>,
  values: Readonly<Record<string, string>>,
): CheckedCallback {
  const { provider, callback, pinnedIssuer } = request
  for (const name of ['code', 'iss', 'error', 'state']) {
    if (callback.getAll(name).length > 1) throw badCallback(provider, `it carries "${name}" twice`)
  }
  const issuer = callback.get('iss') || undefined
  const expected = provider.issuer === null ? pinnedIssuer : issuerUrl(provider, values)
  if (issuer !== undefined && expected !== undefined && issuer !== expected) {
    throw new OAuthError(
      'issuer_mismatch',
      `The answer did not come from ${provider.name}: it names another issuer than the one connected to. Nothing was stored.`,
      { failure: 'configuration' },
    )
  }

  const error = callback.get('error')
  if (error) {
    throw providerFailure(provider, 'callback', {
      code: cleanCode(error, []) ?? 'unknown_error',
      description: cleanDescription(callback.get('error_description'), []),
    })
  }
  if (!callback.get('code')) throw badCallback(provider, 'it carries no code')

  const server = { issuer: issuer ?? expected ?? provider.authorizeUrl }
  try {
    return {
      parameters: oauth.validateAuthResponse(server, { client_id: '-' }, callback, oauth.skipStateCheck),
      issuer,
    }
  } catch {
    throw badCallback(provider, 'it is of a kind that was not asked for')
  }
}

/**
 * Values to keep from the callback's query. One that does not match its pattern, or contradicts what the person
 * said before, ends the flow. Throws OAuthError `capture_refused`.
 */
export function capturedFromCallback(
  provider: Provider,
  callback: URLSearchParams,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const captured: Record<string, string> = {}
  for (const { key, from, path, pattern } of provider.capture ?? []) {
    const value = from === 'callback' ? callback.get(path) : null
    if (value === null || value === '') continue
    if (pattern !== undefined && !matchesWhole(pattern, value)) throw captureRefused(provider, key)
    const asked = provider.connectionParams?.some((param) => param.key === key) ? values[key] : undefined
    if (asked !== undefined && asked !== value) throw captureRefused(provider, key)
    captured[key] = value
  }
  return captured
}

export function captureRefused(provider: Provider, key: string): OAuthError {
  return new OAuthError('capture_refused', `${provider.name} answered with a "${key}" that is not one it may use.`, {
    failure: 'configuration',
  })
}

function issuerUrl(provider: Provider, values: Readonly<Record<string, string>>): string {
  const issuer = provider.issuer ?? ''
  // Compared byte by byte (RFC 9207 §2.4), so only an issuer with a placeholder is rebuilt.
  if (!issuer.includes('{')) return issuer
  const { href } = filledUrl(provider, issuer, values)
  return issuer.endsWith('/') ? href : href.replace(/\/$/, '')
}

function badCallback(provider: Provider, why: string): OAuthError {
  return new OAuthError(
    'invalid_callback',
    `The answer of ${provider.name} cannot be used: ${why}. Start connecting again.`,
    {
      failure: 'user',
    },
  )
}
