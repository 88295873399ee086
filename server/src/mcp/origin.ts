import type { ServerResponse } from 'node:http'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Says whether a browser page of this origin may talk to the endpoint; requests that name none come from no page.
 * A server that answered any origin could be driven by any site its user visits, by rebinding a name to it
 * (basic/transports/streamable-http, "Security & Endpoint").
 */
export function originCheck(publicUrl: string, allowed: readonly string[]): (origin: string | undefined) => boolean {
  const own = new URL(publicUrl)
  const known = new Set([own.origin, ...allowed.map((origin) => new URL(origin).origin)])
  if (LOOPBACK.includes(own.hostname)) {
    for (const name of LOOPBACK) known.add(`${own.protocol}//${name}${own.port && `:${own.port}`}`)
  }
  return (origin) => origin === undefined || known.has(origin)
}

/** Lets a page of a checked origin read the answer. */
export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'WWW-Authenticate, Mcp-Session-Id, X-Request-Id')
  response.setHeader('vary', 'Origin')
}

/** Headers of the answer to a page's preflight. */
export const PREFLIGHT = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID',
  'access-control-max-age': '600',
}
