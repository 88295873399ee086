import type { IncomingMessage } from 'node:http'

type Fields = Record<string, unknown>

/** The JSON-RPC id of a single request; undefined for a notification, a response, a batch or nonsense. */
export function requestId(message: unknown): string | number | undefined {
  const { id, method } = fields(message)
  return typeof method === 'string' && isId(id) ? id : undefined
}

/** The id of the request that a `notifications/cancelled` of an older revision cancels. */
export function cancelledId(message: unknown): string | number | undefined {
  const { method, params } = fields(message)
  const id = method === 'notifications/cancelled' ? fields(params)['requestId'] : undefined
  return isId(id) ? id : undefined
}

/** The method of a single request or notification. */
export function methodOf(message: unknown): string | undefined {
  const { method } = fields(message)
  return typeof method === 'string' ? method : undefined
}

/**
 * Why a batch is refused, or undefined. Only 2025-03-26 had batches, and it had no version header
 * (changelogs of 2025-03-26 and 2025-06-18).
 */
export function batchRefusal(message: unknown, version: string | undefined, most: number): string | undefined {
  if (!Array.isArray(message)) return
  if (version !== undefined && version !== '2025-03-26') {
    return `Revision ${version} has no JSON-RPC batches: send one message per POST`
  }
  if (message.length > most) return `A batch may hold ${most} messages, this one holds ${message.length}`
  return
}

/**
 * The request as the SDK takes it, with the few headers it reads. Its own check of `Accept` is stricter than ours,
 * and a version header on `initialize` says nothing (revisions that open with it negotiate in the body), but some
 * clients send one after probing for a newer revision.
 */
export function webRequest(request: IncomingMessage, message: unknown, signal: AbortSignal): Request {
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
  for (const name of ['mcp-protocol-version', 'mcp-method', 'mcp-name']) {
    const value = request.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  const { params } = fields(message)
  if (methodOf(message) === 'initialize' && !fields(params)['_meta']) headers.delete('mcp-protocol-version')
  return new Request('http://patchbay.invalid/mcp', { method: 'POST', headers, signal })
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number'
}
