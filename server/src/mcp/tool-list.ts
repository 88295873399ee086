import type { Tool } from '@modelcontextprotocol/server'
import { asPatchbayError, errorBody } from '../core/errors.ts'
import type { ListedTool } from '../core/gateway.ts'
import { type Exchange, INTERNAL_ERROR } from './exchange.ts'
import type { RpcError } from './reply.ts'

/** What `tools/list` came to: a list has no `isError`, so a failure is a protocol error. */
export type ListOutcome = { tools: Tool[] } | { failed: RpcError }

/**
 * The instance's tools as MCP describes them, in the order of their names, so that two answers over the same
 * connections are equal (clients and prompt caches compare them).
 *
 * An instance that names connectors or tools shows them connected or not: the agent learns that they exist and, by
 * calling one, gets the link that connects it. One that names none shows what its user has connected. Never throws.
 */
export async function listOutcome({ gateway, caller, userId, requestId, report }: Exchange): Promise<ListOutcome> {
  const namesTools = caller.policy.connectors !== undefined || caller.policy.tools !== undefined
  try {
    const listed = await gateway.tools.list(caller, userId, namesTools ? { all: true } : {})
    return { tools: listed.map(asMcpTool).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) }
  } catch (thrown) {
    const error = asPatchbayError(thrown)
    if (error.code === 'internal') report(error.cause ?? error)
    return { failed: { code: INTERNAL_ERROR, message: error.message, data: errorBody(error, requestId) } }
  }
}

function asMcpTool(tool: ListedTool): Tool {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.available ? tool.description : `${tool.description}\n\n${unavailableNote(tool)}`,
    inputSchema: { type: 'object', ...tool.inputSchema },
    annotations: {
      title: tool.title,
      readOnlyHint: tool.effect === 'read',
      destructiveHint: tool.effect === 'destructive',
      idempotentHint: tool.effect === 'read' || tool.idempotent,
      openWorldHint: true,
    },
  }
}

/** Without the connect link: it would age in the client's cache, and a call answers a fresh one. */
function unavailableNote(tool: ListedTool): string {
  switch (tool.unavailable?.code) {
    case 'not_connected':
      return `Not usable yet: ${tool.connectorName} is not connected. Calling it answers a link with which the user connects it.`
    case 'needs_reauth':
      return `Not usable now: the connection to ${tool.connectorName} has ended. Calling it answers a link with which the user reconnects.`
    case 'missing_scope':
      return `Not usable yet: the connected ${tool.connectorName} account has not granted what this needs. Calling it answers a link with which the user grants it.`
    case undefined:
      return 'Not usable now.'
    default:
      return `Not usable now: ${tool.unavailable?.message}`
  }
}
