import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Caller, Policy } from '../../src/core/caller.ts'
import { PatchbayError } from '../../src/core/errors.ts'
import type { Gateway, ListedTool, ToolCall, ToolResult } from '../../src/core/gateway.ts'
import type { Instance } from '../../src/core/storage.ts'
import { createMcpEndpoint, type McpEndpointOptions } from '../../src/mcp/endpoint.ts'

export const INSTANCE_ID = 'inst_ann'
export const TOKEN = 'pbi_0123456789abcdef'
export const CONNECT_LINK = 'http://localhost:8080/connect/abc'

/** What one test changes of the stand-in; the rest of it behaves like a gateway with three mail tools. */
export interface StandIn {
  policy?: Policy
  tools?: readonly ListedTool[]
  list?: (filter: { all?: boolean }) => Promise<ListedTool[]>
  call?: (call: ToolCall, caller: Caller) => Promise<unknown>
  bearer?: () => Promise<never>
  /** The web server in front reads and parses the body itself. */
  parsesBodies?: boolean
}

/**
 * Answers from memory where the core would ask storage and services. The calls it was asked for are kept, so that a
 * test can see what reached the core.
 */
export function standInGateway(behaviour: StandIn = {}): { gateway: Gateway; calls: ToolCall[] } {
  const calls: ToolCall[] = []
  const tools = behaviour.tools ?? TOOLS
  const policy = behaviour.policy ?? {}
  const gateway: Pick<Gateway, 'callers' | 'tools' | 'catalogue'> = {
    callers: {
      fromInstanceToken: async (instanceId, token) => {
        if (behaviour.bearer) return behaviour.bearer()
        if (instanceId !== INSTANCE_ID || token !== TOKEN) {
          throw new PatchbayError('unauthorized', 'The token of this instance is missing or wrong.')
        }
        const actor = { type: 'instance' as const, id: INSTANCE_ID }
        return { caller: { projectId: 'p1', role: 'user', userId: 'ann', actor, policy }, instance: instance(policy) }
      },
      fromApiKey: unused,
      fromSession: unused,
    },
    catalogue: {
      connectors: () => [],
      connector: (id) => (id === 'mail' ? ({ id, name: 'Mail' } as never) : undefined),
      providers: () => [],
      provider: () => undefined,
      tool: (name) => (tools.some((tool) => tool.name === name) ? ({ name } as never) : undefined),
      inputSchema: () => ({ type: 'object' }),
    },
    tools: {
      list: async (_caller, _userId, filter = {}) => (behaviour.list ? behaviour.list(filter) : [...tools]),
      call: async (caller, call) => {
        calls.push(call)
        const tool = tools.find(({ name }) => name === call.name)
        if (!tool) throw new PatchbayError('not_found', `Unknown tool: ${call.name}`)
        if (behaviour.call) return result(call.name, await behaviour.call(call, caller))
        if (tool.unavailable) throw notConnected()
        return result(call.name, { echoed: call.arguments })
      },
    },
  }
  return { gateway: gateway as Gateway, calls }
}

/** The endpoint behind a plain node:http server on a free port of loopback. */
export async function startEndpoint(
  behaviour: StandIn = {},
  options: Partial<Omit<McpEndpointOptions, 'gateway'>> = {},
) {
  const { gateway, calls } = standInGateway(behaviour)
  const errors: unknown[] = []
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = createMcpEndpoint({
    gateway,
    publicUrl: origin,
    version: '1.2.3',
    onError: (error) => errors.push(error),
    ...options,
  })
  let count = 0
  server.on('request', async (request, response) => {
    const about = { instanceId: decodeURIComponent(request.url?.split('/')[1] ?? ''), requestId: `req_${++count}` }
    const parsedBody = behaviour.parsesBodies ? JSON.parse(await text(request)) : undefined
    await endpoint.handle(request, response, { ...about, parsedBody })
  })
  return {
    origin,
    url: `${origin}/${INSTANCE_ID}/mcp`,
    calls,
    errors,
    endpoint,
    close: async () => {
      await endpoint.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export type StartedEndpoint = Awaited<ReturnType<typeof startEndpoint>>

function listed(name: string, changes: Partial<ListedTool> = {}): ListedTool {
  return {
    name,
    title: name.toLowerCase().replaceAll('_', ' '),
    description: `Does ${name}.`,
    connectorId: 'mail',
    connectorName: 'Mail',
    effect: 'read',
    idempotent: true,
    inputSchema: { type: 'object', properties: { query: { type: 'string' } }, additionalProperties: false },
    available: true,
    connections: [{ id: 'conn_1', label: 'ann@example.com', isDefault: true, status: 'active' }],
    ...changes,
  }
}

function notConnected(): PatchbayError {
  return new PatchbayError('not_connected', 'Chat is not connected for this user.', {
    fix: { action: 'Ask the user to open this link and connect Chat', url: CONNECT_LINK },
  })
}

/** Deliberately not in the order of their names. */
export const TOOLS: readonly ListedTool[] = [
  listed('MAIL_SEND', { effect: 'write', idempotent: false }),
  listed('MAIL_SEARCH'),
  listed('MAIL_TRASH', { effect: 'destructive', idempotent: true }),
  listed('CHAT_POST', {
    connectorId: 'chat',
    connectorName: 'Chat',
    effect: 'write',
    idempotent: false,
    available: false,
    unavailable: { code: 'not_connected', message: 'Chat is not connected for this user.', retryable: false },
    connections: [],
  }),
]

function result(name: string, data: unknown): ToolResult {
  return {
    name,
    data,
    connectionId: 'conn_1',
    connectorId: 'mail',
    truncated: false,
    durationMs: 3,
    eventId: 'evt_1',
  }
}

function instance(policy: Policy): Instance {
  return {
    id: INSTANCE_ID,
    projectId: 'p1',
    userId: 'ann',
    name: 'Agent',
    tokenHash: '',
    tokenPrefix: 'pbi_',
    policy,
    createdAt: 0,
    updatedAt: 0,
    lastUsedAt: null,
  }
}

function unused(): never {
  throw new Error('The MCP endpoint has no business asking for this')
}
