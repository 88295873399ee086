import type { Breaker } from './breaker.ts'
import type { Connection } from './connection.ts'
import type { Connector, Failure, Method, Query, SendOptions, Service, Tool } from './connector.ts'
import type { Credentials, UsableToken } from './credentials.ts'
import { PatchbayError } from './errors.ts'
import type { Http, HttpResponse } from './http.ts'
import { cleanText } from './untrusted.ts'

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

function failureOf(connector: Connector, response: HttpResponse, body: unknown): Failure | undefined {
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

function serviceError(
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

function kindOf(response: HttpResponse, failure: Failure): NonNullable<Failure['as']> {
  const { status } = response
  if (failure.as) return failure.as
  if (status === 401) return 'unauthorized'
  if (isRateLimit(response)) return 'rate_limited'
  if (status >= 500) return 'unavailable'
  return status === 404 ? 'not_found' : 'rejected'
}

/** GitHub limits with 403 and says so in its headers. */
function isRateLimit({ status, headers }: HttpResponse): boolean {
  if (status === 429) return true
  return status === 403 && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)
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

/** Seconds a service asks to wait: `Retry-After` (RFC 9110 §10.2.3), or GitHub's reset time. */
function retryAfterSeconds(response: HttpResponse): number | undefined {
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
