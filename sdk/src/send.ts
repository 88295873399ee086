import { PatchbayApiError } from './errors.ts'
import type { ErrorBody } from './wire.ts'

export interface SendConfig {
  baseUrl: string
  apiKey: string | undefined
  /** Cookies of a signed-in browser instead of a key. */
  session: boolean
  fetch: typeof globalThis.fetch
  /** Attempts after the first one, for calls that change nothing. */
  retries: number
  /** Longest wait between two attempts, seconds; a server that asks for more gets its error passed on. */
  maxRetryWait: number
  /** Longest time one attempt may take, milliseconds. */
  timeoutMs: number
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface Call extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  query?: Query | undefined
  body?: unknown
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>

/** Statuses after which the same safe call may succeed. */
const TEMPORARY = new Set([429, 502, 503, 504])

/**
 * Makes one call and answers its JSON (`undefined` for an empty body). Calls that change nothing are tried again after
 * a network failure or a temporary status; others never, because the first attempt may have been carried out.
 * Throws PatchbayApiError, or the signal's reason when the caller gave up.
 */
export async function sendJson<Reply>(config: SendConfig, call: Call): Promise<Reply> {
  for (let attempt = 0; ; attempt++) {
    try {
      const limit = AbortSignal.timeout(config.timeoutMs)
      const signal = call.signal ? AbortSignal.any([call.signal, limit]) : limit
      const response = await open(config, { ...call, signal })
      return (await readJson(response, signal)) as Reply
    } catch (thrown) {
      call.signal?.throwIfAborted()
      const error = asApiError(thrown, config)
      const wait = call.method === 'GET' && attempt < config.retries ? retryWait(error, attempt, config) : undefined
      if (wait === undefined) throw error
      await pause(wait * 1000, call.signal)
    }
  }
}

/** Opens a call whose answer is read piece by piece. Only the caller's signal ends it. */
export async function sendStream(config: SendConfig, call: Call): Promise<ReadableStream<Uint8Array>> {
  try {
    const response = await open(config, call)
    return response.body ?? new Blob([]).stream()
  } catch (thrown) {
    call.signal?.throwIfAborted()
    throw asApiError(thrown, config)
  }
}

/** An absolute address of a route; absent and null parameters are left out, lists are joined by commas. */
export function address(baseUrl: string, path: string, query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    parameters.append(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  const search = parameters.toString()
  return `${baseUrl}${path}${search && `?${search}`}`
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', stop, { once: true })
    function done() {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    function stop() {
      clearTimeout(timer)
      reject(signal?.reason)
    }
  })
}

async function open(config: SendConfig, call: Call): Promise<Response> {
  const response = await config.fetch(address(config.baseUrl, call.path, call.query), {
    method: call.method,
    headers: {
      accept: 'application/json',
      ...(call.body !== undefined && { 'content-type': 'application/json' }),
      ...(config.apiKey !== undefined && { 'x-api-key': config.apiKey }),
      ...(config.session && { 'x-patchbay-csrf': '1' }),
    },
    credentials: config.session ? 'include' : 'omit',
    redirect: 'error',
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    ...(call.signal && { signal: call.signal }),
  })
  if (!response.ok) throw await failure(response)
  return response
}

async function readJson(response: Response, signal: AbortSignal): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    signal.throwIfAborted()
    throw new PatchbayApiError(response.status, unreadable(response), { cause })
  }
}

async function failure(response: Response): Promise<PatchbayApiError> {
  const header = retryAfterSeconds(response.headers.get('retry-after'))
  const body = errorIn(await response.text())
  if (!body)
    return new PatchbayApiError(response.status, {
      ...unreadable(response),
      ...(header !== undefined && { retry_after: header }),
    })
  return new PatchbayApiError(response.status, {
    ...body,
    ...(body.retry_after === undefined && header !== undefined && { retry_after: header }),
  })
}

function errorIn(text: string): ErrorBody | undefined {
  try {
    const error = (JSON.parse(text) as { error?: Partial<ErrorBody> } | null)?.error
    if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined
    return { ...error, code: error.code, message: error.message, retryable: error.retryable === true }
  } catch {
    return undefined
  }
}

function unreadable(response: Response): ErrorBody {
  return {
    code: 'unreadable_answer',
    message: `The answer with status ${response.status} did not come from the gateway: it is not its JSON.`,
    retryable: TEMPORARY.has(response.status),
    fix: { action: 'Check the base address, and any proxy in front of the gateway.' },
  }
}

function asApiError(thrown: unknown, config: SendConfig): PatchbayApiError {
  if (thrown instanceof PatchbayApiError) return thrown
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    const message = `The gateway did not answer within ${config.timeoutMs / 1000} seconds.`
    return new PatchbayApiError(0, { code: 'timeout', message, retryable: true }, { cause: thrown })
  }
  const message = `The gateway at ${config.baseUrl || 'this address'} could not be reached.`
  const fix = { action: 'Check that it is running and that this network reaches it, then try again.' }
  return new PatchbayApiError(0, { code: 'unreachable', message, retryable: true, fix }, { cause: thrown })
}

/** Seconds to wait before trying again, or undefined when it would not help or is not allowed. */
function retryWait(error: PatchbayApiError, attempt: number, config: SendConfig): number | undefined {
  if (error.status !== 0 && !TEMPORARY.has(error.status)) return undefined
  if (error.retryAfter !== undefined) return error.retryAfter <= config.maxRetryWait ? error.retryAfter : undefined
  return Math.min(0.25 * 2 ** attempt * (0.75 + Math.random() / 2), config.maxRetryWait)
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header)) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000))
}
