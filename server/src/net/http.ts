import type { Dispatcher } from 'undici'
import { PatchbayError } from '../core/errors.ts'
import type { Http, HttpRequest, HttpResponse } from '../core/http.ts'
import { bareHost, createAddressPolicy } from './address-policy.ts'
import { ACCEPT_ENCODING, type Answer, collectAnswer } from './answer.ts'
import { dialer, type Resolve, systemResolve } from './dial.ts'
import { answerFault, cancelled, closedDoor, invalidRequest, timedOut, transportFault } from './faults.ts'
import { Pool } from './undici.ts'

export interface HttpOptions {
  /** EGRESS_ALLOW: hosts, `host:port`, IP addresses, CIDRs, `loopback`, `private`, `*`. See `createAddressPolicy`. */
  allow: readonly string[]
  /** Stands in for the system's resolver. */
  resolve?: Resolve
  /** Milliseconds to a usable connection, name and TLS included. */
  connectTimeoutMs?: number
  /** Sockets per scheme, host and port; further requests wait inside their own timeout. */
  connectionsPerOrigin?: number
  /** Origins whose connections are kept; the one unused for longest gives way. */
  maxOrigins?: number
  /** Milliseconds an idle connection is kept. Below what servers commonly keep, so that we close first. */
  keepAliveMs?: number
  maxHeaderBytes?: number
  /** PEM certificates trusted instead of the system's. */
  ca?: string
  userAgent?: string
}

/** How long `close` lets running exchanges end by themselves, milliseconds. */
const CLOSE_GRACE_MS = 5_000

/**
 * The one door out. Every connection goes to an address that was checked against the allow-list; redirects are
 * handed back, never followed.
 *
 * Errors carry `details.sent`: whether any byte of the request may have left, so that callers can tell a
 * safe retry from an ambiguous one. Besides the codes named at `Http`, a request that is no valid HTTP gives
 * `invalid_input`, and any request after `close` gives `shutting_down`.
 */
export function createHttp(options: HttpOptions): { http: Http; close(): Promise<void> } {
  const policy = createAddressPolicy(options.allow)
  const resolve = options.resolve ?? systemResolve
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000
  const maxOrigins = options.maxOrigins ?? 256
  const userAgent = options.userAgent ?? 'Patchbay'
  const pools = new Map<string, Pool>()
  let closed = false

  function poolOf(url: URL): Pool {
    const origin = url.origin
    let pool = pools.get(origin)
    if (pool) {
      // A Map keeps insertion order, so the first key is always the one unused for longest.
      pools.delete(origin)
    } else {
      const secure = url.protocol === 'https:'
      const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
      pool = new Pool(origin, {
        connect: dialer({ host: bareHost(url), port, secure }, { policy, resolve, connectTimeoutMs, ca: options.ca }),
        connections: options.connectionsPerOrigin ?? 128,
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: options.keepAliveMs ?? 4_000,
        maxHeaderSize: options.maxHeaderBytes ?? 32_768,
        // One timer of ours covers the whole exchange.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      for (const [oldest, evicted] of pools) {
        if (pools.size < maxOrigins) break
        pools.delete(oldest)
        void evicted.close()
      }
    }
    pools.set(origin, pool)
    return pool
  }

  return {
    http: (request) =>
      new Promise<HttpResponse>((succeed, reject) => {
        if (closed) throw closedDoor()
        const url = checkedUrl(request.url)
        const headers = headerList(request.headers, userAgent)
        if (request.signal?.aborted) throw cancelled(url.hostname, false)
        exchange(poolOf(url), url, headers, request, succeed, reject)
      }),

    async close() {
      closed = true
      const all = [...pools.values()]
      pools.clear()
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<'late'>((late) => {
        timer = setTimeout(late, CLOSE_GRACE_MS, 'late')
      })
      const outcome = await Promise.race([Promise.all(all.map((pool) => pool.close())), grace])
      clearTimeout(timer)
      if (outcome === 'late') await Promise.all(all.map((pool) => pool.destroy(closedDoor())))
    },
  }
}

/** One request and its answer on a pool. Exactly one of `succeed` and `reject` is called, once. */
function exchange(
  pool: Pool,
  url: URL,
  headers: string[],
  request: HttpRequest,
  succeed: (response: HttpResponse) => void,
  reject: (error: PatchbayError) => void,
): void {
  const host = url.hostname
  const { signal, maxBytes } = request
  let controller: Dispatcher.DispatchController | undefined
  let answer: Answer | undefined
  let settled = false

  function settle(): void {
    settled = true
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }

  function fail(error: PatchbayError): void {
    if (settled) return
    settle()
    answer?.drop()
    reject(error)
    // Closes the socket: what is left of the answer is not wanted. A request still queued has no controller yet.
    controller?.abort(error)
  }

  // Node writes headers and body together once the request starts, so from then on it may have arrived.
  const sent = () => controller !== undefined
  const onAbort = () => fail(cancelled(host, sent()))
  const timer = setTimeout(() => fail(timedOut(host, request.timeoutMs, sent())), request.timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })

  pool.dispatch(
    {
      path: url.pathname + url.search,
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: request.body ?? null,
    },
    {
      onRequestStart(started) {
        if (settled) {
          started.abort(cancelled(host, false))
          return
        }
        controller = started
      },
      onResponseStart(_controller, status, received) {
        if (settled || status < 200) return
        const replyHeaders = flatHeaders(received)
        const encoding = replyHeaders['content-encoding']
        if (
          encoding === undefined &&
          Number(replyHeaders['content-length'] ?? 0) > maxBytes &&
          request.method !== 'HEAD'
        ) {
          fail(answerFault('too_large', host, maxBytes, status))
          return
        }
        // They describe the bytes on the wire, not the decoded body handed on.
        if (encoding !== undefined) {
          delete replyHeaders['content-encoding']
          delete replyHeaders['content-length']
        }
        answer = collectAnswer(
          encoding,
          maxBytes,
          (body) => {
            if (settled) return
            settle()
            succeed({ status, headers: replyHeaders, body })
          },
          (fault) => fail(answerFault(fault, host, maxBytes, status)),
        )
      },
      onResponseData(current, chunk) {
        if (!settled) answer?.take(current, chunk)
      },
      onResponseEnd() {
        if (!settled) answer?.end()
      },
      onResponseError(_controller, error) {
        fail(transportFault(error, host, sent()))
      },
    },
  )
}

/** Throws `egress_refused` for what can be refused without resolving anything. */
function checkedUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url) throw invalidRequest('The address to call is not a valid URL.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new PatchbayError('egress_refused', `Only https addresses can be called, not ${url.protocol}//.`, {
      details: { reason: 'scheme', sent: false },
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw new PatchbayError(
      'egress_refused',
      `An address with a user name or password in it is refused: ${url.hostname}.`,
      {
        details: { host: url.hostname, reason: 'credentials_in_url', sent: false },
      },
    )
  }
  return url
}

/** These decide where and how a message is delivered; a caller that could set them could pass a check and go elsewhere. */
const NOT_FOR_CALLERS = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function headerList(headers: Record<string, string> | undefined, userAgent: string): string[] {
  const list: string[] = []
  let encoding = false
  let agent = false
  for (const name in headers) {
    const lower = name.toLowerCase()
    if (NOT_FOR_CALLERS.has(lower)) throw invalidRequest(`The header ${lower} cannot be set by a caller.`)
    if (lower === 'accept-encoding') encoding = true
    else if (lower === 'user-agent') agent = true
    list.push(lower, headers[name] as string)
  }
  if (!encoding) list.push('accept-encoding', ACCEPT_ENCODING)
  if (!agent) list.push('user-agent', userAgent)
  return list
}

function flatHeaders(received: Record<string, string | string[] | undefined>): Record<string, string> {
  for (const name in received) {
    const value = received[name]
    if (Array.isArray(value)) received[name] = value.join(name === 'set-cookie' ? '\n' : ', ')
  }
  return received as Record<string, string>
}
