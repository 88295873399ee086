import type { Caller } from './caller.ts'
import type { ConnectLinks } from './connect-links.ts'
import type { Connection } from './connection.ts'
import { isUsable } from './connection.ts'
import type { ConnectionCache } from './connection-cache.ts'
import type { Connector, RequestLine, Service, Tool } from './connector.ts'
import type { Credentials } from './credentials.ts'
import { asPatchbayError, type ErrorBody, errorBody, PatchbayError } from './errors.ts'
import { by, type EventLog } from './event-log.ts'
import type { Catalogue, ListedTool, ToolCall, ToolFilter, ToolResult, Tools } from './gateway.ts'
import { checkedInput, nearest } from './inputs.ts'
import { createInFlight } from './limits.ts'
import { assertAllowed, assertUser, refusal } from './policy.ts'
import { missingScopes } from './scopes.ts'
import { addressBelow, type ServiceFor } from './service.ts'
import { boundedData } from './untrusted.ts'

/** A whole tool call, fan-out and retries included. */
const CALL_TIMEOUT_MS = 60_000
/** Characters of JSON handed back: what a model can read, or what a program can take. */
const MAX_DATA_CHARS = { mcp: 200_000, page: 2_000_000, rest: 20_000_000 }

export interface ToolLimits {
  /** Calls under way at once. */
  perUser: number
  perConnection: number
}

export interface ToolsOptions {
  catalogue: Catalogue
  connections: ConnectionCache
  credentials: Credentials
  serviceFor: ServiceFor
  connectLinks: Pick<ConnectLinks, 'urlFor'>
  events: EventLog
  now: () => number
  limits: ToolLimits
  /** Milliseconds and outcome of each call, for metrics. */
  onCall?: (tool: string, outcome: string, ms: number) => void
}

export function createTools(options: ToolsOptions): Tools {
  const { catalogue, events, now } = options
  const inFlight = createInFlight()

  async function call(caller: Caller, call: ToolCall): Promise<ToolResult> {
    const started = now()
    const found = catalogue.tool(call.name)
    if (!found) throw unknownTool(catalogue, call.name)
    const { name, connector, tool } = found
    assertUser(caller, call.userId)
    const about = {
      ...by(caller, call.requestId),
      userId: call.userId,
      connectorId: connector.id,
      tool: name,
      details: { via: call.via },
    }
    let connection: Connection | undefined
    try {
      assertAllowed(caller, { name, connectorId: connector.id, effect: tool.effect })
      const { account, given } = accountAndInput(call)
      const own = await options.connections(caller.projectId, call.userId)
      connection = chosen(connector, own, account)
      const input = checkedInput(name, tool, given)
      const missing = missingScopes(connector, tool, connection)
      if (missing.length > 0) throw lacksScopes(connector, connection, name, missing)
      const data = await run(connector, tool, connection, input, call)
      const bounded = boundedData(data, MAX_DATA_CHARS[call.via])
      const durationMs = now() - started
      const event = events.event({ ...about, type: 'tool.called', connectionId: connection.id, durationMs })
      await events.record(event)
      options.onCall?.(name, 'ok', durationMs)
      return {
        name,
        connectionId: connection.id,
        connectorId: connector.id,
        data: bounded.data,
        truncated: bounded.truncated,
        durationMs,
        eventId: event.id,
      }
    } catch (thrown) {
      const error = await withLink(caller, call, connector, name, connection, asPatchbayError(thrown))
      const durationMs = now() - started
      const refused = error.code === 'policy_denied'
      const event = events.event({
        ...about,
        type: refused ? 'tool.refused' : 'tool.called',
        outcome: refused ? 'refused' : 'error',
        code: error.code,
        message: error.message,
        connectionId: connection?.id ?? null,
        durationMs,
      })
      await events.record(event)
      options.onCall?.(name, error.code, durationMs)
      throw error
    }
  }

  async function run(
    connector: Connector,
    tool: Tool,
    connection: Connection,
    input: Record<string, unknown>,
    call: ToolCall,
  ): Promise<unknown> {
    // One controller and one timer, both let go when the call ends: AbortSignal.timeout would keep every call's signal
    // alive for the whole minute.
    const ending = new AbortController()
    const leave = () => ending.abort()
    let tookTooLong = false
    const timer = setTimeout(() => {
      tookTooLong = true
      ending.abort()
    }, CALL_TIMEOUT_MS)
    if (call.signal.aborted) leave()
    call.signal.addEventListener('abort', leave)
    const userKey = `${connection.projectId}/${connection.userId}`
    const { perUser, perConnection } = options.limits
    try {
      return await inFlight.run(userKey, perUser, `User "${connection.userId}"`, () =>
        inFlight.run(connection.id, perConnection, `The connection "${connection.label}"`, () => {
          const service = options.serviceFor({
            connector,
            connection,
            tool,
            signal: ending.signal,
            credentials: options.credentials,
          })
          return typeof tool.run === 'string' ? requested(tool.run, tool, input, service) : tool.run(input, service)
        }),
      )
    } catch (error) {
      if (call.signal.aborted)
        throw new PatchbayError('cancelled', 'The caller went away before the tool was done.', { cause: error })
      if (tookTooLong) {
        throw new PatchbayError('timeout', `${connector.name} took longer than ${CALL_TIMEOUT_MS / 1000} s.`, {
          cause: error,
        })
      }
      throw error
    } finally {
      clearTimeout(timer)
      call.signal.removeEventListener('abort', leave)
    }
  }

  /** Errors a person mends by connecting carry the link that does it. */
  async function withLink(
    caller: Caller,
    call: ToolCall,
    connector: Connector,
    name: string,
    connection: Connection | undefined,
    error: PatchbayError,
  ): Promise<PatchbayError> {
    if (!MENDED_BY_CONNECTING.has(error.code) || error.fix?.url) return error
    try {
      const url = await options.connectLinks.urlFor(
        caller,
        {
          userId: call.userId,
          connectorId: connector.id,
          ...(connection && { connectionId: connection.id }),
          ...(error.code === 'needs_reauth' ? {} : { tools: [name] }),
        },
        call.requestId,
      )
      return new PatchbayError(error.code, error.message, {
        cause: error.cause,
        retryable: error.retryable,
        fix: { action: error.fix?.action ?? `Connect ${connector.name}`, url },
        ...(error.providerStatus !== undefined && { providerStatus: error.providerStatus }),
        ...(error.details && { details: error.details }),
      })
    } catch {
      // The link is a courtesy; without it the error still says what to do.
      return error
    }
  }

  async function list(caller: Caller, userId: string, filter: ToolFilter = {}): Promise<ListedTool[]> {
    assertUser(caller, userId)
    const own = await options.connections(caller.projectId, userId)
    const words = filter.query?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
    const listed: ListedTool[] = []
    for (const connector of catalogue.connectors()) {
      if (filter.connectorId && connector.id !== filter.connectorId) continue
      const connections = own.filter((one) => one.connectorId === connector.id && one.status !== 'pending')
      if (connections.length === 0 && !filter.all) continue
      for (const [name, tool] of Object.entries(connector.tools)) {
        if (refusal(caller.policy, { name, connectorId: connector.id, effect: tool.effect })) continue
        const text = `${name} ${tool.title} ${tool.description}`.toLowerCase()
        if (!words.every((word) => text.includes(word))) continue
        listed.push(listedTool(connector, name, tool, connections))
      }
    }
    if (filter.linksFor === undefined) return listed
    const requestId = filter.linksFor
    return Promise.all(
      listed.map((one) => (one.unavailable ? withConnectUrl(caller, userId, one, one.unavailable, requestId) : one)),
    )
  }

  /** The link that mends exactly what this tool lacks; tools that lack the same share it. */
  async function withConnectUrl(
    caller: Caller,
    userId: string,
    listed: ListedTool,
    why: ErrorBody,
    requestId: string,
  ): Promise<ListedTool> {
    const connection = listed.connections.find((one) => one.isDefault) ?? listed.connections[0]
    const url = await options.connectLinks.urlFor(
      caller,
      {
        userId,
        connectorId: listed.connectorId,
        ...(connection && { connectionId: connection.id }),
        ...(why.code === 'missing_scope' && { tools: toolsLacking(why.details?.['missing'], listed) }),
      },
      requestId,
    )
    return {
      ...listed,
      unavailable: { ...why, fix: { action: why.fix?.action ?? `Connect ${listed.connectorName}`, url } },
    }
  }

  /** Every tool of the connector that the same missing scopes would make available, in a stable order. */
  function toolsLacking(missing: unknown, listed: ListedTool): string[] {
    const connector = catalogue.connector(listed.connectorId)
    const wanted = JSON.stringify(missing)
    const same = Object.entries(connector?.tools ?? {}).filter(
      ([, tool]) => JSON.stringify([tool.scopes[0] ?? []].flat()) === wanted,
    )
    return same.length > 0 ? same.map(([name]) => name) : [listed.name]
  }

  function listedTool(connector: Connector, name: string, tool: Tool, connections: readonly Connection[]): ListedTool {
    const why = unavailable(connector, name, tool, connections)
    return {
      name,
      title: tool.title,
      description: tool.description,
      connectorId: connector.id,
      connectorName: connector.name,
      effect: tool.effect,
      idempotent: tool.idempotent ?? tool.effect === 'read',
      inputSchema:
        connections.length > 1 ? withAccount(catalogue.inputSchema(name), connections) : catalogue.inputSchema(name),
      available: !why,
      ...(why && { unavailable: errorBody(why) }),
      connections: connections.map(({ id, label, isDefault, status }) => ({ id, label, isDefault, status })),
    }
  }

  return { call, list }
}

const MENDED_BY_CONNECTING: ReadonlySet<string> = new Set(['not_connected', 'needs_reauth', 'missing_scope'])

/** `account` chooses the connection; it is no input of the tool. */
function accountAndInput(call: ToolCall): { account: string | undefined; given: Record<string, unknown> } {
  const { account, ...given } = call.arguments
  if (account !== undefined && account !== null && typeof account !== 'string') {
    throw new PatchbayError('invalid_input', '"account" must be text: a connection id, label or e-mail address.')
  }
  return { account: call.account ?? account ?? undefined, given }
}

/** The connection a call means. Only connections of this connector and user are ever looked at. */
function chosen(connector: Connector, own: readonly Connection[], account: string | undefined): Connection {
  const connections = own.filter((one) => one.connectorId === connector.id && one.status !== 'pending')
  if (connections.length === 0) {
    throw new PatchbayError('not_connected', `${connector.name} is not connected for this user.`, {
      fix: { action: `Connect ${connector.name}` },
      details: { connector: connector.id },
    })
  }
  if (account === undefined) return connections.find((one) => one.isDefault) ?? (connections[0] as Connection)
  const wanted = account.toLowerCase()
  const matching = connections.filter((one) =>
    [one.id, one.label, one.account?.id, one.account?.email, one.account?.label].some(
      (text) => text?.toLowerCase() === wanted,
    ),
  )
  if (matching.length === 1) return matching[0] as Connection
  const choices = connections.map((one) => one.label).join(', ')
  throw matching.length === 0
    ? new PatchbayError(
        'invalid_input',
        `"account": this user has no ${connector.name} account "${account.slice(0, 100)}". Choose one of: ${choices}.`,
      )
    : new PatchbayError(
        'ambiguous_account',
        `"account": several ${connector.name} accounts are called "${account}". Use the connection id: ${matching.map((one) => one.id).join(', ')}.`,
      )
}

function unavailable(
  connector: Connector,
  name: string,
  tool: Tool,
  connections: readonly Connection[],
): PatchbayError | undefined {
  const connection = connections.find((one) => one.isDefault) ?? connections[0]
  if (!connection) {
    return new PatchbayError('not_connected', `${connector.name} is not connected.`, {
      fix: { action: `Connect ${connector.name}` },
    })
  }
  if (!connections.some(isUsable)) {
    return new PatchbayError(
      'needs_reauth',
      connection.statusReason?.message ?? `The ${connector.name} connection has ended.`,
      {
        fix: { action: connection.statusReason?.fix ?? `Connect ${connector.name} again` },
      },
    )
  }
  const missing = missingScopes(connector, tool, connection)
  return missing.length > 0 && connections.length === 1 ? lacksScopes(connector, connection, name, missing) : undefined
}

function lacksScopes(
  connector: Connector,
  connection: Connection,
  name: string,
  missing: readonly string[],
): PatchbayError {
  const words = missing.map((scope) => connector.scopes[scope]?.description ?? scope).join('; ')
  return new PatchbayError(
    'missing_scope',
    `${name} needs a permission that "${connection.label}" was not given: ${words}.`,
    {
      fix: { action: `Connect ${connector.name} again and allow: ${words}` },
      details: { missing, connection_id: connection.id },
    },
  )
}

function withAccount(schema: Record<string, unknown>, connections: readonly Connection[]): Record<string, unknown> {
  const main = connections.find((one) => one.isDefault)
  return {
    ...schema,
    properties: {
      ...(schema['properties'] as object),
      account: {
        type: 'string',
        description: `Which account to use. One of: ${connections.map((one) => one.label).join(', ')}.${main ? ` Default: ${main.label}.` : ''}`,
      },
    },
  }
}

/** Turns `GET /messages/{id}` and an input into a request: path fields first, the rest as query or body. */
async function requested(
  line: RequestLine,
  tool: Tool,
  input: Record<string, unknown>,
  service: Service,
): Promise<unknown> {
  const [method, template] = line.split(' ') as [string, string]
  const rest = { ...input }
  const path = template.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = String(input[field] ?? '')
    if (value === '' || value === '.' || value === '..') {
      throw new PatchbayError('invalid_input', `"${field}" must not be empty, "." or "..".`)
    }
    delete rest[field]
    return encodeURIComponent(value)
  }) as `/${string}`
  addressBelow('', path)
  const answer = await (method === 'GET'
    ? service.get(path, rest as Record<string, string>)
    : service[method.toLowerCase() as 'post' | 'put' | 'patch' | 'delete'](
        path,
        Object.keys(rest).length > 0 ? rest : undefined,
      ))
  return tool.shape ? tool.shape(answer) : answer
}

function unknownTool(catalogue: Catalogue, name: string): PatchbayError {
  const names = catalogue.connectors().flatMap((connector) => Object.keys(connector.tools))
  const near = nearest(name, names)
  return new PatchbayError(
    'not_found',
    `There is no tool "${name.slice(0, 100)}".${near ? ` Did you mean ${near}?` : ' GET /api/tools lists them.'}`,
  )
}
