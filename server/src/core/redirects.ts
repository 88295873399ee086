import { PatchbayError } from './errors.ts'

/**
 * The address, if a browser may be sent there after connecting: on the project's list (exact, or below an entry that
 * ends in `/*`), or on the gateway itself. Throws `invalid_input`.
 */
export function checkedRedirectUrl(address: string, allowed: readonly string[], publicUrl: string): string {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.hash) {
    throw new PatchbayError(
      'invalid_input',
      `"redirect_url" must be an http(s) address without a user name or fragment, got "${address.slice(0, 200)}".`,
    )
  }
  if (url.origin === new URL(publicUrl).origin || allowed.some((entry) => covers(entry, url))) return url.href
  throw new PatchbayError(
    'invalid_input',
    `"redirect_url" ${url.origin}${url.pathname} is not on this project's list of redirect addresses.`,
    {
      fix: {
        action: 'An administrator adds it to the project (Settings, or PATCH /api/projects/:id with "redirect_urls")',
      },
      details: { allowed: allowed.slice(0, 20) },
    },
  )
}

/** The origin a popup may report to: the gateway's own, or that of an allowed redirect address or page origin. */
export function checkedOpenerOrigin(
  given: string,
  allowed: readonly string[],
  pageOrigins: readonly string[],
  publicUrl: string,
): string {
  const url = URL.parse(given)
  if (!url || url.origin !== given) {
    throw new PatchbayError(
      'invalid_input',
      `"opener_origin" must be an origin such as https://app.example.com, got "${given.slice(0, 200)}".`,
    )
  }
  const origins = [
    new URL(publicUrl).origin,
    ...pageOrigins,
    ...allowed.flatMap((entry) => URL.parse(entry.replace(/\*$/, ''))?.origin ?? []),
  ]
  if (origins.includes(given)) return given
  throw new PatchbayError(
    'invalid_input',
    `"opener_origin" ${given} is not among the origins of this project's redirect addresses or CORS_ORIGINS.`,
  )
}

/** What is wrong with an entry of a project's list, or undefined. */
export function redirectEntryMistake(entry: string): string | undefined {
  const url = URL.parse(entry.endsWith('/*') ? entry.slice(0, -1) : entry)
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an http(s) address'
  if (url.username || url.password || url.hash || url.search) return 'must not hold a user name, query or fragment'
  if (url.host.includes('*') || url.pathname.includes('*')) return 'may hold a * only as its last path segment'
  if (url.protocol === 'http:' && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
    return 'must be https, except on localhost'
  return undefined
}

function covers(entry: string, url: URL): boolean {
  const wildcard = entry.endsWith('/*')
  const base = URL.parse(wildcard ? entry.slice(0, -1) : entry)
  if (!base || base.origin !== url.origin) return false
  return wildcard ? url.pathname.startsWith(base.pathname) : url.pathname === base.pathname
}
