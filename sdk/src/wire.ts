/** The JSON of the REST surface, as callers see it. The server's route schemas must agree with these types. */

export interface ErrorBody {
  code: string
  message: string
  retryable: boolean
  /** Seconds. */
  retry_after?: number
  fix?: { action: string; url?: string }
  provider_status?: number
  request_id?: string
  details?: Record<string, unknown>
}
/** Every 4xx and 5xx. */
export interface ErrorReply {
  error: ErrorBody
}

export type Effect = 'read' | 'write' | 'destructive'
export type ConnectionStatus = 'pending' | 'active' | 'expiring' | 'needs_reauth' | 'revoked' | 'error'
export type Role = 'admin' | 'app' | 'user'
export type JsonSchema = Record<string, unknown>
/** ISO 8601, UTC. */
export type Timestamp = string

export interface Policy {
  connectors?: string[]
  /** A trailing `*` matches any ending. */
  tools?: string[]
  deny_tools?: string[]
  effects?: Effect[]
  users?: string[]
}

/** `GET /connectors` */
export interface ConnectorSummary {
  id: string
  kind: 'api' | 'database' | 'mcp'
  name: string
  description: string
  category: string
  provider: string
  tools_count: number
  /** An OAuth app is there, so users can connect. */
  configured: boolean
}
/** `GET /connectors/:id` */
export interface ConnectorDetail extends ConnectorSummary {
  /** JSON Schema of the values to ask for before connecting; empty object schema when there are none. */
  form: JsonSchema
  scopes: { name: string; description: string; effect: Effect }[]
  tools: ToolSummary[]
  setup: { url: string; steps: string[]; redirect_uri: string }
}
export interface ToolSummary {
  name: string
  title: string
  description: string
  effect: Effect
  scopes: (string | string[])[]
  parameters: JsonSchema
}

/** `GET /api/integrations` */
export interface Integration {
  id: string
  name: string
  provider: string
  description: string
  configured: boolean
}

export interface Connection {
  id: string
  user_id: string
  connector: string
  label: string
  is_default: boolean
  status: ConnectionStatus
  status_reason: { code: string; message: string; fix: string; at: Timestamp } | null
  account: { id: string; label: string; email?: string; organisation?: string; avatar_url?: string } | null
  /** All granted scopes. */
  scopes: string[]
  /** What the grant allows, in words. */
  permissions: { scope: string; description: string; effect: Effect }[]
  expires_at: Timestamp | null
  created_at: Timestamp
  updated_at: Timestamp
}

/** `POST /api/integrations/connect` */
export interface ConnectRequest {
  user_id: string
  /** Connector id (`gmail`), or a provider id that has one connector. */
  provider: string
  redirect_url?: string
  /** Origin of the page that opens the popup. */
  opener_origin?: string
  settings?: Record<string, string>
  /** Ask for what these tools need; `["*"]` for all of the connector. Default: its read-only tools. */
  tools?: string[]
  scopes?: string[]
  /** Reconnect this one. */
  connection_id?: string
  allow_other_account?: boolean
  label?: string
}
export interface ConnectReply {
  auth_url: string
  connection_id: string
  expires_at: Timestamp
}
/** Posted once to the opener's exact origin by the popup. */
export interface ConnectMessage {
  type: 'patchbay:connect'
  status: 'connected' | 'failed'
  appName: string
  connection_id?: string
  error?: { code: string; message: string }
}

/** `POST /api/integrations/disconnect`: `{user_id, connection_id}` or `{user_id, provider}` when there is one. */
export interface DisconnectReply {
  disconnected: true
  revoked_at_provider: boolean
  message: string
}

/** `GET /api/tools?user_id=` */
export interface ToolItem {
  name: string
  title: string
  description: string
  provider: string
  connector: string
  effect: Effect
  parameters: JsonSchema
  available: boolean
  unavailable?: ErrorBody
  accounts: { connection_id: string; label: string; is_default: boolean; status: ConnectionStatus }[]
}

/** `POST /api/tools/execute` */
export interface ExecuteRequest {
  user_id: string
  action: string
  params?: Record<string, unknown>
  account?: string
}
export interface ExecuteReply {
  success: true
  result: unknown
  connection_id: string
  truncated: boolean
  duration_ms: number
  event_id: string
  request_id: string
}
/** A failed execution answers its HTTP status with this body. */
export interface ExecuteFailure extends ErrorReply {
  success: false
}
/** `POST /api/tools/execute-batch` `{user_id, calls: [...]}`: at most 20, run side by side, answers in order. */
export type BatchItem = ({ success: true } & Omit<ExecuteReply, 'success' | 'request_id'>) | ExecuteFailure

/** `POST /api/tools/execute-batch` */
export interface BatchReply {
  results: BatchItem[]
  request_id: string
}
/** `GET /api/tools/health` */
export interface ToolsHealth {
  status: Health['status']
  connectors: number
  tools: number
}

/** `/api/instances` */
export interface Instance {
  id: string
  user_id: string
  name: string
  /** MCP address. */
  url: string
  token_prefix: string
  policy: Policy
  created_at: Timestamp
  last_used_at: Timestamp | null
}
/** The token appears in this answer only. */
export interface InstanceCreated extends Instance {
  token: string
}

/** `GET /:instanceId/health` */
export interface InstanceHealth {
  status: Health['status']
  instance_id: string
}
/** `GET /:instanceId/status` */
export interface InstanceStatus {
  instance: Instance
  tools: { total: number; available: number }
  connections: Connection[]
}
/** `POST /:instanceId/refresh`: one line for each connection that was tried. */
export interface InstanceRefresh {
  items: { connection_id: string; status: ConnectionStatus | null; error: ErrorBody | null }[]
}

/** `POST /api/connect-links` */
export interface ConnectLink {
  id: string
  url: string
  expires_at: Timestamp
}

export interface ApiKey {
  id: string
  name: string
  role: Role
  user_id: string | null
  prefix: string
  policy: Policy
  expires_at: Timestamp | null
  created_at: Timestamp
  last_used_at: Timestamp | null
  revoked_at: Timestamp | null
}
export interface ApiKeyCreated extends ApiKey {
  secret: string
}

export interface OAuthApp {
  provider: string
  provider_name: string
  client_id: string | null
  source: 'stored' | 'environment' | null
  redirect_uri: string
  setup: { url: string; steps: string[] }
  connectors: string[]
  updated_at: Timestamp | null
}

export interface Project {
  id: string
  name: string
  redirect_urls: string[]
  created_at: Timestamp
}

/** The first admin key of the new project appears in this answer only. */
export interface ProjectCreated extends Project {
  admin_key: string
}
/** `GET /api/users`: users that have connections. */
export interface User {
  id: string
}

export interface Event {
  id: string
  at: Timestamp
  type: string
  outcome: 'ok' | 'error' | 'refused'
  actor: { type: string; id: string }
  user_id: string | null
  connector: string | null
  connection_id: string | null
  tool: string | null
  code: string | null
  message: string | null
  duration_ms: number | null
  request_id: string | null
  details: Record<string, unknown> | null
}
/** Every list. */
export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

/** `GET /api/session` */
export interface Session {
  signed_in: true
  project: Project
  role: Role
  user_id: string | null
}

export interface Health {
  status: 'ok' | 'degraded' | 'shutting_down'
  version: string
  uptime_seconds: number
  storage: { engine: 'sqlite' | 'postgres'; ok: boolean }
}
