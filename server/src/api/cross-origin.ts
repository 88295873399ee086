import type { FastifyReply, FastifyRequest } from 'fastify'

/** `x-patchbay-csrf` is left out on purpose: that no other origin can send it is what protects cookie callers. */
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'x-api-key',
  'x-request-id',
].join(', ')
const EXPOSED_HEADERS = 'mcp-session-id, retry-after, www-authenticate, x-request-id'

/**
 * CORS for the configured origins (`*` for any). Credentials are never allowed: browsers of other origins come with a
 * key of role `user`, not with a cookie. Answers true when the request was a preflight, and thereby dealt with.
 */
export function crossOrigin(origins: readonly string[]) {
  const known = new Set(origins)
  const any = known.has('*')

  return (request: FastifyRequest, reply: FastifyReply): boolean => {
    if (known.size === 0) return false
    const { origin } = request.headers
    if (!any) reply.header('vary', 'Origin')
    if (origin === undefined || !(any || known.has(origin))) return false
    reply.header('access-control-allow-origin', any ? '*' : origin)
    reply.header('access-control-expose-headers', EXPOSED_HEADERS)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false

    void reply
      .header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE')
      .header('access-control-allow-headers', ALLOWED_HEADERS)
      .header('access-control-max-age', '600')
      .code(204)
      .send()
    return true
  }
}
