import type { ServerResponse } from 'node:http'
import type { ErrorBody } from '../core/errors.ts'

type Headers = Record<string, string>

/** Answers JSON, unless the client is gone. */
export function replyJson(response: ServerResponse, status: number, body: unknown, headers: Headers = {}): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

/** Answers a status without a body, unless the client is gone. */
export function replyEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-length': 0, ...headers })
  response.end()
}

export interface RpcError {
  code: number
  message: string
  data?: ErrorBody | Record<string, unknown>
}

/** A JSON-RPC error; `id` is left out where the request's is not known, as the schemas since 2025-11-25 have it. */
export function rpcError(error: RpcError, id?: string | number): Record<string, unknown> {
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), error }
}

/**
 * Writes a web `Response` to Node's, in step with how fast the client reads. A client that goes away ends the
 * reading, so that whoever produces the body hears of it.
 */
export async function replyWeb(response: ServerResponse, web: Response, headers: Headers = {}): Promise<void> {
  if (response.headersSent || response.destroyed) {
    await web.body?.cancel()
    return
  }
  response.writeHead(web.status, { 'cache-control': 'no-store', ...Object.fromEntries(web.headers), ...headers })
  if (web.body) {
    for await (const chunk of web.body) {
      if (response.destroyed) break
      if (!response.write(chunk)) await drained(response)
    }
  }
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
