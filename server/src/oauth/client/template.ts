import { OAuthError } from '../../core/oauth.ts'
import type { Provider } from '../../core/provider.ts'

/** Longest value a person or provider may put into an address. */
const MAX_VALUE_LENGTH = 2_048

/**
 * What may fill the `{key}` of a provider's addresses: connection parameters with their defaults, and captured values.
 * Each is checked against its pattern again here, right before a secret is sent to the address it makes.
 * Throws OAuthError `bad_parameter`.
 */
export function checkedValues(
  provider: Provider,
  params: Readonly<Record<string, string>>,
  captured: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const values: Record<string, string> = {}
  for (const { key, pattern } of provider.capture ?? []) {
    const value = captured[key]
    if (value === undefined) continue
    if (pattern !== undefined && !matchesWhole(pattern, value)) throw badParameter(provider, key)
    values[key] = value
  }
  for (const { key, pattern, default: fallback } of provider.connectionParams ?? []) {
    const value = params[key] || fallback
    if (value === undefined) continue
    if (!matchesWhole(pattern, value)) throw badParameter(provider, key)
    values[key] = value
  }
  return values
}

/**
 * An address with its `{key}` filled in. A value in the path or query is percent-encoded; one in the authority can
 * only be a host, with a port at most; one at the very start must be an origin. So no value reaches beyond its place.
 * Throws OAuthError `bad_parameter`.
 */
export function filledUrl(provider: Provider, template: string, values: Readonly<Record<string, string>>): URL {
  const text = template.replace(/\{(\w+)\}/g, (_, key: string, at: number) => {
    const value = values[key]
    if (value === undefined || value === '') throw badParameter(provider, key)
    const before = template.slice(0, at)
    if (before === '') {
      if (URL.parse(value)?.origin !== value) throw badParameter(provider, key)
      return value
    }
    if (/^https?:\/\/[^/?#]*$/i.test(before)) {
      if (!/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?(?::\d{1,5})?$/i.test(value)) throw badParameter(provider, key)
      return value
    }
    // `.` and `..` survive encoding and would climb out of the path.
    if (value === '.' || value === '..') throw badParameter(provider, key)
    return encodeURIComponent(value)
  })
  const url = URL.parse(text)
  if (url === null || `${url.username}${url.password}` !== '') {
    throw new OAuthError(
      'bad_address',
      `An address of ${provider.name} is not valid. Its definition has to be corrected.`,
      {
        failure: 'configuration',
      },
    )
  }
  return url
}

/** Extra parameters with their `{key}` filled in; one whose value is not known is left out. */
export function filledParams(
  params: Readonly<Record<string, string>> | undefined,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const filled: Record<string, string> = {}
  for (const [name, template] of Object.entries(params ?? {})) {
    const missing = [...template.matchAll(/\{(\w+)\}/g)].some(([, key = '']) => values[key] === undefined)
    if (!missing) filled[name] = template.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '')
  }
  return filled
}

/** Whether the pattern matches the value from end to end, anchored in its text or not. */
export function matchesWhole(pattern: string, value: string): boolean {
  return value.length <= MAX_VALUE_LENGTH && new RegExp(`^(?:${pattern})$`).test(value)
}

function badParameter(provider: Provider, key: string): OAuthError {
  const label = provider.connectionParams?.find((param) => param.key === key)?.label ?? key
  return new OAuthError(
    'bad_parameter',
    `The value of "${label}" for ${provider.name} is missing or not of the expected form.`,
    {
      failure: 'configuration',
    },
  )
}
