import type { Breaker } from './breaker.ts'
import type { Connection } from './connection.ts'
import type { Connector, Failure, Method, Query, SendOptions, Service, Tool } from './connector.ts'
import type { Credentials, UsableToken } from './credentials.ts'
import { PatchbayError } from './errors.ts'
import type { Http, HttpResponse } from './http.ts'
import { failureOf, isRateLimit, kindOf, retryAfterSeconds, serviceError } from './service-failure.ts'

/** One exchange with a service. */
const REQUEST_TIMEOUT_MS = 30_000
/** Largest answer read from a service. */
const MAX_ANSWER_BYTES = 20 * 1024 * 1024
/** Tries of a safe request, the first included. */
const SAFE_TRIES = 3
/** A `Retry-After` up to this many seconds is waited for; a longer one goes back to the caller. */
const MAX_WAIT_S = 5

export interface ServiceOptions {
  http: Http
  credentials: Credentials
  breaker: Breaker
  connector: Connector
  connection: Connection
  tool: Tool
  signal: AbortSignal
}

/** `serviceFor` with everything but the call at hand given. */
export type ServiceFor = (call: Omit<ServiceOptions, 'http' | 'breaker'>) => Service

/**
 * The connected service for one tool call. The credential is opened for each request and added here; what a
 * connector hands in can only be a path below the connector's own base address.
 */
export function serviceFor(options: ServiceOptions): Service {
  const { connector, connection, tool, signal } = options
  const tokenNames = tool.tokens ?? ['default']
  let base: string | undefined

  /** Sends until there is an answer to keep: a refused token is renewed once, a safe request is repeated. */
  async function send<T>(
    method: Method,
    path: string,
    request: Sent,
    judge: (response: HttpResponse) => Judged<T>,
  ): Promise<T> {
    base ??= baseAddress(connector, connection)
    const url = addressBelow(base, path, request.query)
    let used = await options.credentials.use(connection, request.token ? [request.token] : tokenNames)
    let renewed = false
    for (let attempt = 1; ; attempt++) {
      const response = await exchange(method, url, request, used, attempt)
      if (response === 'again') continue
      const { value, failure } = judge(response)
      if (!failure) return value
      if (!renewed && kindOf(response, failure) === 'unauthorized') {
        renewed = true
        used = await options.credentials.renew(connection, used)
        continue
      }
      if (renewed && kindOf(response, failure) === 'unauthorized')
        await options.credentials.refuse(connection, used, failure.message ?? failure.code)
      throw serviceError(connector, connection, response, failure)
    }
  }

  /** One try; `'again'` when a safe request should be sent once more. */
  async function exchange(
    method: Method,
    url: string,
    request: Sent,
    used: UsableToken,
    attempt: number,
  ): Promise<HttpResponse | 'again'> {
    const mayRepeat = (method === 'GET' || request.safe === true) && attempt < SAFE_TRIES
    try {
      const response = await options.breaker.run(`${connection.id} ${connector.id}`, async () => {
        const answer = await options.http({
          method,
          url,
          headers: {
            accept: 'application/json',
            ...connector.headers,
            ...request.headers,
            authorization: `Bearer ${used.accessToken}`,
          },
          ...(request.body !== undefined && { body: request.body }),
          signal,
          timeoutMs: REQUEST_TIMEOUT_MS,
          maxBytes: request.maxBytes ?? MAX_ANSWER_BYTES,
        })
        const clean = withoutToken(answer, used.accessToken)
        if (clean.status >= 500) throw new Unavailable(clean)
        return clean
      })
      if (!isRateLimit(response) || !mayRepeat) return response
      const wait = retryAfterSeconds(response) ?? 1
      if (wait > MAX_WAIT_S) return response
      await pause(wait * 1000, signal)
      return 'again'
    } catch (error) {
      const failed = error instanceof Unavailable
      const broken = error instanceof PatchbayError && error.code === 'provider_unavailable'
      const wait = failed ? (retryAfterSeconds(error.response) ?? 0) : 0
      if (mayRepeat && wait <= MAX_WAIT_S && (failed || (broken && error.retryAfter === undefined))) {
        await pause(Math.max(wait * 1000, 200 * 2 ** attempt * (0.5 + Math.random())), signal)
        return 'again'
      }
      if (failed) return error.response
      throw error
    }
  }

  const json = (method: Method, path: string, request: Sent) =>
    send(method, path, request, (response) => {
      const body = parsedBody(response, connector.name)
      return { value: body, failure: failureOf(connector, response, body) }
    })

  const write =
    (method: Method) =>
    (path: string, body?: unknown, sending: SendOptions = {}) =>
      json(method, path, {
        ...encoded(body, sending.as ?? 'json'),
        ...(sending.query && { query: sending.query }),
        ...(sending.token && { token: sending.token }),
        headers: { ...encoded(body, sending.as ?? 'json').headers, ...sending.headers },
        // A read that the service only takes as POST may be repeated like any read.
        safe: tool.effect === 'read',
      })

  return {
    account: connection.account,
    tokens: Object.keys(connection.scopes),
    signal,
    get: (path, query) => json('GET', path, query ? { query } : {}),
    post: write('POST'),
    put: write('PUT'),
    patch: write('PATCH'),
    delete: write('DELETE'),
    bytes: (path, query) =>
      send('GET', path, query ? { query } : {}, (response) => ({
        value: { data: response.body, contentType: response.headers['content-type'] ?? 'application/octet-stream' },
        failure:
          response.status < 300 ? undefined : failureOf(connector, response, parsedBody(response, connector.name)),
      })),
    async upload(url, data, contentType) {
      const address = URL.parse(url)
      // What was handed over must not travel in the clear; a stand-in for the service may be reached as the service is.
      const protocols = connector.api.startsWith('http:') ? ['https:', 'http:'] : ['https:']
      if (!address || !connector.uploadHosts?.includes(address.host) || !protocols.includes(address.protocol)) {
        throw new PatchbayError(
          'egress_refused',
          `${connector.name} asked to upload to ${address ? `${address.protocol}//${address.host}` : 'something that is no address'}, which its connector does not declare.`,
        )
      }
      const response = await options.http({
        method: 'POST',
        url,
        headers: { 'content-type': contentType },
        body: data,
        signal,
        timeoutMs: REQUEST_TIMEOUT_MS * 2,
        maxBytes: MAX_ANSWER_BYTES,
      })
      if (response.status >= 300) {
        throw new PatchbayError(
          'provider_unavailable',
          `${connector.name} did not take the upload (HTTP ${response.status}).`,
          {
            providerStatus: response.status,
          },
        )
      }
    },
  }
}

interface Sent {
  query?: Query
  body?: string | Uint8Array
  headers?: Record<string, string>
  token?: string
  safe?: boolean
  maxBytes?: number
}

interface Judged<T> {
  value: T
  failure: Failure | undefined
}

/** A 5xx inside the breaker, so that it counts; carries the answer out. */
class Unavailable extends Error {
  readonly response: HttpResponse
  constructor(response: HttpResponse) {
    super(`HTTP ${response.status}`)
    this.response = response
  }
}

/** The connector's base address with `{key}` filled from the connection; values were checked when they were stored. */
export function baseAddress(
  connector: Connector,
  connection: Pick<Connection, 'settings' | 'captured' | 'label'>,
): string {
  return connector.api.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = connection.captured[key] ?? connection.settings[key]
    if (value === undefined) {
      throw new PatchbayError(
        'not_configured',
        `The connection "${connection.label}" lacks "${key}", which ${connector.name}'s address needs.`,
        {
          fix: { action: 'Connect again' },
        },
      )
    }
    return value
  })
}

/** Joins and checks: the result is below the base, or the call is refused. */
export function addressBelow(base: string, path: string, query?: Query): string {
  const cut = path.search(/[?#]/)
  const clean = cut === -1 ? path : path.slice(0, cut)
  // Tabs and line ends are dropped by whoever parses the address, and would join what they part.
  if (!clean.startsWith('/') || /[\\\p{Cc}]/u.test(clean) || /(^|\/)(\.|%2e)(\.|%2e)?(\/|$)/i.test(clean)) {
    throw new PatchbayError(
      'invalid_input',
      'A value used in the address of the request may not be "." or ".." or hold a backslash or control character.',
    )
  }
  if (cut !== -1)
    throw new PatchbayError(
      'invalid_input',
      'A value used in the address of the request may not hold "?" or "#" unencoded.',
    )
  if (!query) return base + clean
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    if (Array.isArray(value)) for (const one of value) search.append(key, String(one))
    else search.append(key, String(value))
  }
  const text = search.toString()
  return text ? `${base}${clean}?${text}` : base + clean
}

function encoded(body: unknown, as: 'json' | 'form'): { body?: string | Uint8Array; headers: Record<string, string> } {
  if (body === undefined) return { headers: {} }
  if (body instanceof Uint8Array) return { body, headers: { 'content-type': 'application/octet-stream' } }
  if (as === 'json')
    return { body: JSON.stringify(body), headers: { 'content-type': 'application/json; charset=utf-8' } }
  const form = new URLSearchParams()
  for (const [key, value] of Object.entries(body as Record<string, unknown>)) {
    if (value !== undefined && value !== null)
      form.append(key, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return { body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } }
}

function parsedBody(response: HttpResponse, name: string): unknown {
  if (response.body.length === 0) return undefined
  try {
    return JSON.parse(response.body.toString('utf8'))
  } catch {
    if (response.status >= 400) return undefined
    throw new PatchbayError(
      'provider_unavailable',
      `${name} answered something that is not JSON (HTTP ${response.status}).`,
      {
        providerStatus: response.status,
      },
    )
  }
}

/** Some services repeat the token in their answers; it must reach neither the caller nor an event. */
function withoutToken(response: HttpResponse, token: string): HttpResponse {
  // As it is, as JSON may write its slashes, and as it stands in an address.
  const forms = [...new Set([token, token.replaceAll('/', '\\/'), encodeURIComponent(token)])]
  const found = forms.filter((form) => response.body.includes(form))
  if (found.length === 0) return response
  const text = found.reduce((body, form) => body.replaceAll(form, '[redacted]'), response.body.toString('utf8'))
  return { ...response, body: Buffer.from(text) }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(new PatchbayError('cancelled', 'The caller went away.'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
