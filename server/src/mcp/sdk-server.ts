import {
  createMcpHandler,
  isLegacyRequest,
  type McpHttpHandler,
  ProtocolError,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import {
  DISCOVER_TTL_MS,
  type Exchange,
  INSTRUCTIONS,
  INVALID_PARAMS,
  LEGACY_VERSIONS,
  LIST_TTL_MS,
  METHOD_NOT_FOUND,
} from './exchange.ts'
import { methodOf, requestId } from './message.ts'
import { rpcError } from './reply.ts'
import { callOutcome } from './tool-call.ts'
import { listOutcome } from './tool-list.ts'

/**
 * Answers any MCP message with the SDK: its ladder of checks, its error codes and statuses, the handshake of older
 * revisions and `server/discover` of 2026-07-28.
 */
export interface SdkServer {
  /** `request` must carry the message's headers and a POST; `message` is its parsed body. */
  answer(request: Request, message: unknown, exchange: Exchange): Promise<Response>
  close(): Promise<void>
}

export function createSdkServer(): SdkServer {
  const modern = createMcpHandler(({ authInfo }) => serverFor(authInfo?.extra?.['exchange'] as Exchange), {
    legacy: 'reject',
  })
  return {
    answer: async (request, message, exchange) =>
      (await isLegacyRequest(request, message))
        ? legacyAnswer(request, message, exchange)
        : modernAnswer(modern, request, message, exchange),
    close: () => modern.close(),
  }
}

async function modernAnswer(
  handler: McpHttpHandler,
  request: Request,
  message: unknown,
  exchange: Exchange,
): Promise<Response> {
  // Nothing here ever changes under a client's feet, and an acknowledged subscription would hold a stream for nothing.
  if (methodOf(message) === 'subscriptions/listen') {
    const error = { code: METHOD_NOT_FOUND, message: 'Method not found: this server sends no change notifications' }
    return Response.json(rpcError(error, requestId(message)), { status: 404 })
  }
  // The SDK hands `authInfo` to the factory untouched; it never needs the token itself.
  const authInfo = { token: '', clientId: exchange.instanceId, scopes: [], extra: { exchange } }
  return handler.fetch(request, { parsedBody: message, authInfo })
}

/** One server and transport for one POST, answered as JSON: no state is kept between the requests of a client. */
async function legacyAnswer(request: Request, message: unknown, exchange: Exchange): Promise<Response> {
  const server = serverFor(exchange)
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  try {
    const gone = new Promise<Response>((resolve) => {
      exchange.signal.addEventListener('abort', () => resolve(new Response(null, { status: 499 })), { once: true })
    })
    return await Promise.race([transport.handleRequest(request, { parsedBody: message }), gone])
  } finally {
    await server.close()
  }
}

/** Always a fresh one: a shared instance would chain its close handlers without end. */
function serverFor(exchange: Exchange): Server {
  const server = new Server(exchange.server, {
    capabilities: { tools: {} },
    instructions: INSTRUCTIONS,
    supportedProtocolVersions: LEGACY_VERSIONS,
    cacheHints: {
      'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'private' },
      'server/discover': { ttlMs: DISCOVER_TTL_MS, cacheScope: 'private' },
    },
  })
  server.setRequestHandler('tools/list', async ({ params }) => {
    if (params?.cursor !== undefined) {
      throw new ProtocolError(INVALID_PARAMS, 'Unknown cursor: the list of tools comes in one page, ask without one')
    }
    const outcome = await listOutcome(exchange)
    if ('failed' in outcome) throw new ProtocolError(outcome.failed.code, outcome.failed.message, outcome.failed.data)
    return outcome
  })
  server.setRequestHandler('tools/call', async ({ params }) => {
    const outcome = await callOutcome(exchange, { name: params.name, arguments: params.arguments ?? {} })
    if ('unknownTool' in outcome) throw new ProtocolError(INVALID_PARAMS, outcome.unknownTool.message)
    return outcome.result
  })
  return server
}
