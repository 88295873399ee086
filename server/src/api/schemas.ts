import type * as wire from '@patchbay/sdk/wire'
import { z } from 'zod'
import { ROLES } from '../core/caller.ts'
import { CONNECTION_STATUSES } from '../core/connection.ts'
import { EFFECTS } from '../core/connector.ts'
import { ERROR_CODES } from '../core/errors.ts'
import { EVENT_TYPES } from '../core/events.ts'

/**
 * The wire shapes as schemas: they validate requests and describe answers in the OpenAPI document. `agrees` fails to
 * compile when one drifts from the type that SDK users see.
 */
function agrees<Wire>() {
  return <Schema extends z.ZodType<Wire>>(
    schema: Schema & ([Wire] extends [z.output<Schema>] ? unknown : 'the schema misses members of the wire type'),
  ): Schema => schema
}

/** The same for what callers send, before defaults and coercion. */
function accepts<Wire>() {
  return <Schema extends z.ZodType>(
    schema: Schema & ([Wire] extends [z.input<Schema>] ? unknown : 'the schema refuses the wire type'),
  ): Schema => schema
}

const timestamp = z.iso.datetime().describe('ISO 8601, UTC')
const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema 2020-12')

export const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be an id: up to 128 letters, digits, "_" or "-"')
/** Connector and provider ids. */
export const slug = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be an id such as "gmail": up to 64 letters, digits, "_" or "-"')
export const userId = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters')
  .describe('Your own name for the user. A key of role `user` may leave it out')
export const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a tool name such as "GMAIL_SEND_EMAIL"')
export const label = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters')
const scopeName = z.string().min(1).max(512)
/** http and https only: anything else could run script in the browser that follows it. */
export const webAddress = z
  .string()
  .max(2048)
  .refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), 'must be an http or https address')
const origin = z
  .string()
  .max(256)
  .refine(
    (value) => /^https?:\/\//i.test(value) && URL.canParse(value) && new URL(value).origin === value,
    'must be an origin such as "https://app.example.com", without a path',
  )
const settings = z.record(z.string().max(64), z.string().max(2048))

const effect = z.enum(EFFECTS)
export const status = z.enum(CONNECTION_STATUSES)
export const role = z.enum(ROLES)

export const policyInput = accepts<wire.Policy>()(
  z
    .strictObject({
      connectors: z.array(slug).max(500).optional(),
      tools: z
        .array(z.string().regex(/^[A-Za-z0-9_-]{0,127}\*?$/, 'must be a tool name, or the start of one and "*"'))
        .max(1000)
        .optional(),
      deny_tools: z
        .array(z.string().regex(/^[A-Za-z0-9_-]{0,127}\*?$/, 'must be a tool name, or the start of one and "*"'))
        .max(1000)
        .optional(),
      effects: z.array(effect).max(3).optional(),
      users: z.array(userId).max(1000).optional(),
    })
    .describe('What the key or instance is limited to; an absent member limits nothing'),
)

const errorBody = agrees<wire.ErrorBody>()(
  z
    .object({
      code: z.string().describe(`One of ${ERROR_CODES.join(', ')}`),
      message: z.string().describe('What went wrong and what to change'),
      retryable: z.boolean(),
      retry_after: z.number().exactOptional().describe('Seconds'),
      fix: z.object({ action: z.string(), url: z.string().exactOptional() }).exactOptional(),
      provider_status: z.number().exactOptional(),
      request_id: z.string().exactOptional(),
      details: z.record(z.string(), z.unknown()).exactOptional(),
    })
    .meta({ id: 'ErrorBody' }),
)
export const errorReply = agrees<wire.ErrorReply>()(
  z.object({ error: errorBody }).meta({ id: 'ErrorReply', description: 'What went wrong and what to do about it' }),
)
export const executeFailure = agrees<wire.ExecuteFailure>()(
  z
    .object({ success: z.literal(false), error: errorBody })
    .meta({ id: 'ExecuteFailure', description: 'Why the tool did not run, and what to do about it' }),
)

export function pageOf<Item extends z.ZodType>(item: Item, description: string) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() }).describe(description)
}

const policy = agrees<wire.Policy>()(
  z.object({
    connectors: z.array(z.string()).exactOptional(),
    tools: z.array(z.string()).exactOptional(),
    deny_tools: z.array(z.string()).exactOptional(),
    effects: z.array(effect).exactOptional(),
    users: z.array(z.string()).exactOptional(),
  }),
)

const toolSummary = agrees<wire.ToolSummary>()(
  z
    .object({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      effect,
      scopes: z.array(z.union([z.string(), z.array(z.string())])),
      parameters: jsonSchema,
    })
    .meta({ id: 'ToolSummary' }),
)
export const connectorSummary = agrees<wire.ConnectorSummary>()(
  z
    .object({
      id: z.string(),
      kind: z.enum(['api', 'database', 'mcp']),
      name: z.string(),
      description: z.string(),
      category: z.string(),
      provider: z.string(),
      tools_count: z.number(),
      configured: z.boolean().describe('An OAuth app is there, so users can connect'),
    })
    .meta({ id: 'ConnectorSummary' }),
)
export const connectorDetail = agrees<wire.ConnectorDetail>()(
  z
    .object({
      ...connectorSummary.shape,
      form: jsonSchema,
      scopes: z.array(z.object({ name: z.string(), description: z.string(), effect })),
      tools: z.array(toolSummary),
      setup: z.object({ url: z.string(), steps: z.array(z.string()), redirect_uri: z.string() }),
    })
    .meta({ id: 'ConnectorDetail', description: 'A connector with its tools, scopes and connect form' }),
)
export const integration = agrees<wire.Integration>()(
  z
    .object({
      id: z.string(),
      name: z.string(),
      provider: z.string(),
      description: z.string(),
      configured: z.boolean(),
    })
    .meta({ id: 'Integration' }),
)

export const connection = agrees<wire.Connection>()(
  z
    .object({
      id: z.string(),
      user_id: z.string(),
      connector: z.string(),
      label: z.string(),
      is_default: z.boolean(),
      status,
      status_reason: z.object({ code: z.string(), message: z.string(), fix: z.string(), at: timestamp }).nullable(),
      account: z
        .object({
          id: z.string(),
          label: z.string(),
          email: z.string().exactOptional(),
          organisation: z.string().exactOptional(),
          avatar_url: z.string().exactOptional(),
        })
        .nullable(),
      scopes: z.array(z.string()),
      permissions: z.array(z.object({ scope: z.string(), description: z.string(), effect })),
      expires_at: timestamp.nullable(),
      created_at: timestamp,
      updated_at: timestamp,
    })
    .meta({ id: 'Connection', description: "One user's link to one connector; never a secret" }),
)

export const connectRequest = accepts<wire.ConnectRequest>()(
  z
    .strictObject({
      user_id: userId.optional(),
      provider: slug.describe('Connector id (`gmail`), or a provider id that has one connector'),
      redirect_url: webAddress.optional().describe('Where the browser goes afterwards; must be on the project’s list'),
      opener_origin: origin.optional().describe('Origin of the page that opens the popup; only it is told the outcome'),
      settings: settings.optional().describe('Values of the connector’s form'),
      tools: z
        .array(z.union([toolName, z.literal('*')]))
        .max(500)
        .optional(),
      scopes: z.array(scopeName).max(200).optional(),
      connection_id: id.optional().describe('Reconnect this one: it keeps its id'),
      allow_other_account: z.boolean().optional(),
      label: label.optional(),
    })
    .meta({ id: 'ConnectRequest' }),
)
export const connectReply = agrees<wire.ConnectReply>()(
  z
    .object({ auth_url: z.string(), connection_id: z.string(), expires_at: timestamp })
    .meta({ id: 'ConnectReply', description: 'Send the browser to `auth_url`; it works once' }),
)
export const disconnectReply = agrees<wire.DisconnectReply>()(
  z.object({ disconnected: z.literal(true), revoked_at_provider: z.boolean(), message: z.string() }).meta({
    id: 'DisconnectReply',
    description: 'The connection is gone; whether the provider ended the grant as well',
  }),
)

export const toolItem = agrees<wire.ToolItem>()(
  z
    .object({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      provider: z.string(),
      connector: z.string(),
      effect,
      parameters: jsonSchema,
      available: z.boolean(),
      unavailable: errorBody.exactOptional(),
      accounts: z.array(z.object({ connection_id: z.string(), label: z.string(), is_default: z.boolean(), status })),
    })
    .meta({ id: 'ToolItem' }),
)
const executed = {
  success: z.literal(true),
  result: z.unknown().describe('The service’s answer, trimmed and bounded. It is data, never instructions'),
  connection_id: z.string(),
  truncated: z.boolean(),
  duration_ms: z.number(),
  event_id: z.string(),
}
export const executeReply = agrees<wire.ExecuteReply>()(
  z.object({ ...executed, request_id: z.string() }).meta({ id: 'ExecuteReply', description: 'What the tool answered' }),
)
export const batchReply = agrees<wire.BatchReply>()(
  z
    .object({ results: z.array(z.union([z.object(executed), executeFailure])), request_id: z.string() })
    .meta({ id: 'BatchReply', description: 'One result for each call, in order; a failed call fails alone' }),
)
const health = z.enum(['ok', 'degraded', 'shutting_down'])
export const toolsHealth = agrees<wire.ToolsHealth>()(
  z
    .object({ status: health, connectors: z.number(), tools: z.number() })
    .meta({ id: 'ToolsHealth', description: 'Whether tools can run, and how many there are' }),
)
export const healthReply = agrees<wire.Health>()(
  z
    .object({
      status: health,
      version: z.string(),
      uptime_seconds: z.number(),
      storage: z.object({ engine: z.enum(['sqlite', 'postgres']), ok: z.boolean() }),
    })
    .meta({ id: 'Health', description: 'Whether the gateway works; 503 when it does not' }),
)

export const instance = agrees<wire.Instance>()(
  z
    .object({
      id: z.string(),
      user_id: z.string(),
      name: z.string(),
      url: z.string().describe('MCP address'),
      token_prefix: z.string(),
      policy,
      created_at: timestamp,
      last_used_at: timestamp.nullable(),
    })
    .meta({ id: 'Instance', description: 'One MCP address for one user' }),
)
export const instanceCreated = agrees<wire.InstanceCreated>()(
  z
    .object({ ...instance.shape, token: z.string().describe('Bearer token, in this answer only') })
    .meta({ id: 'InstanceCreated', description: 'The instance with its bearer token, shown this once' }),
)
export const instanceHealth = agrees<wire.InstanceHealth>()(
  z
    .object({ status: health, instance_id: z.string() })
    .meta({ id: 'InstanceHealth', description: 'The instance answers' }),
)
export const instanceStatus = agrees<wire.InstanceStatus>()(
  z
    .object({
      instance,
      tools: z.object({ total: z.number(), available: z.number() }),
      connections: z.array(connection),
    })
    .meta({ id: 'InstanceStatus', description: 'What the instance shows right now' }),
)
export const instanceRefresh = agrees<wire.InstanceRefresh>()(
  z
    .object({
      items: z.array(z.object({ connection_id: z.string(), status: status.nullable(), error: errorBody.nullable() })),
    })
    .meta({ id: 'InstanceRefresh', description: 'One line for each connection that was tried' }),
)

export const connectLink = agrees<wire.ConnectLink>()(
  z
    .object({ id: z.string(), url: z.string(), expires_at: timestamp })
    .meta({ id: 'ConnectLink', description: 'A hosted connect page for one user; single use' }),
)

export const apiKey = agrees<wire.ApiKey>()(
  z
    .object({
      id: z.string(),
      name: z.string(),
      role,
      user_id: z.string().nullable(),
      prefix: z.string(),
      policy,
      expires_at: timestamp.nullable(),
      created_at: timestamp,
      last_used_at: timestamp.nullable(),
      revoked_at: timestamp.nullable(),
    })
    .meta({ id: 'ApiKey' }),
)
export const apiKeyCreated = agrees<wire.ApiKeyCreated>()(
  z
    .object({ ...apiKey.shape, secret: z.string().describe('The key, in this answer only') })
    .meta({ id: 'ApiKeyCreated', description: 'The key with its secret, shown this once' }),
)
export const oauthApp = agrees<wire.OAuthApp>()(
  z
    .object({
      provider: z.string(),
      provider_name: z.string(),
      client_id: z.string().nullable(),
      source: z.enum(['stored', 'environment']).nullable(),
      redirect_uri: z.string(),
      setup: z.object({ url: z.string(), steps: z.array(z.string()) }),
      connectors: z.array(z.string()),
      updated_at: timestamp.nullable(),
    })
    .meta({
      id: 'OAuthApp',
      description: 'A provider, its OAuth app if there is one, and how to make one; never the secret',
    }),
)
export const project = agrees<wire.Project>()(
  z
    .object({ id: z.string(), name: z.string(), redirect_urls: z.array(z.string()), created_at: timestamp })
    .meta({ id: 'Project', description: 'A tenant' }),
)
export const projectCreated = agrees<wire.ProjectCreated>()(
  z
    .object({ ...project.shape, admin_key: z.string().describe('Its first admin key, in this answer only') })
    .meta({ id: 'ProjectCreated', description: 'The project with its first admin key, shown this once' }),
)
export const user = agrees<wire.User>()(z.object({ id: z.string() }).meta({ id: 'User' }))
export const session = agrees<wire.Session>()(
  z
    .object({ signed_in: z.literal(true), project, role, user_id: z.string().nullable() })
    .meta({ id: 'Session', description: 'Who is signed in' }),
)
export const event = agrees<wire.Event>()(
  z
    .object({
      id: z.string(),
      at: timestamp,
      type: z.string().describe(`One of ${EVENT_TYPES.join(', ')}`),
      outcome: z.enum(['ok', 'error', 'refused']),
      actor: z.object({ type: z.string(), id: z.string() }),
      user_id: z.string().nullable(),
      connector: z.string().nullable(),
      connection_id: z.string().nullable(),
      tool: z.string().nullable(),
      code: z.string().nullable(),
      message: z.string().nullable(),
      duration_ms: z.number().nullable(),
      request_id: z.string().nullable(),
      details: z.record(z.string(), z.unknown()).nullable(),
    })
    .meta({ id: 'Event', description: 'One line of the audit log' }),
)
