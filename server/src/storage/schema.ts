/**
 * The tables as the queries see them, the same on both engines: times are epoch ms, booleans 0 or 1;
 * a column of type `Json` holds JSON text.
 */
export interface Tables {
  project: ProjectRow
  data_key: DataKeyRow
  api_key: ApiKeyRow
  oauth_app: OAuthAppRow
  connection: ConnectionRow
  authorization: AuthorizationRow
  connect_link: ConnectLinkRow
  instance: InstanceRow
  session: SessionRow
  event: EventRow
}

/** JSON text. */
export type Json = string

export interface ProjectRow {
  id: string
  name: string
  redirect_urls: Json
  created_at: number
}

export interface DataKeyRow {
  id: string
  project_id: string
  wrapped: string
  created_at: number
}

export interface ApiKeyRow {
  id: string
  project_id: string
  name: string
  role: string
  user_id: string | null
  hash: string
  prefix: string
  policy: Json
  expires_at: number | null
  created_at: number
  last_used_at: number | null
  revoked_at: number | null
}

export interface OAuthAppRow {
  id: string
  project_id: string
  provider_id: string
  client_id: string
  client_secret: string | null
  created_at: number
  updated_at: number
}

export interface ConnectionRow {
  id: string
  project_id: string
  user_id: string
  connector_id: string
  label: string
  is_default: number
  status: string
  status_reason: Json | null
  account: Json | null
  /** `account.id` again, so that it can be searched for. */
  account_id: string | null
  settings: Json
  captured: Json
  scopes: Json
  credential: string | null
  generation: number
  expires_at: number | null
  refresh_after: number | null
  refresh_failures: number
  refresh_intent: Json | null
  /** The intent that `beginRefresh` found in place of its own: RETURNING shows new values only. */
  interrupted_intent: Json | null
  fence: number
  lease_until: number | null
  oauth_app_id: string | null
  created_at: number
  updated_at: number
}

export interface AuthorizationRow {
  state_hash: string
  project_id: string
  user_id: string
  connector_id: string
  provider_id: string
  connection_id: string
  oauth_app_id: string
  actor: Json
  redirect_url: string | null
  opener_origin: string | null
  redirect_uri: string
  code_verifier: string | null
  browser_hash: string | null
  settings: Json
  scopes: Json
  allow_other_account: number
  start_hash: string
  created_at: number
  expires_at: number
  used_at: number | null
}

export interface ConnectLinkRow {
  id: string
  hash: string
  project_id: string
  user_id: string
  connectors: Json
  redirect_url: string | null
  tools: Json
  connection_id: string | null
  created_at: number
  expires_at: number
  browser_hash: string | null
  used_at: number | null
}

export interface InstanceRow {
  id: string
  project_id: string
  user_id: string
  name: string
  token_hash: string
  token_prefix: string
  policy: Json
  created_at: number
  updated_at: number
  last_used_at: number | null
}

export interface SessionRow {
  hash: string
  api_key_id: string
  project_id: string
  created_at: number
  expires_at: number
}

export interface EventRow {
  id: string
  project_id: string
  at: number
  type: string
  outcome: string
  actor_type: string
  actor_id: string
  user_id: string | null
  connector_id: string | null
  connection_id: string | null
  tool: string | null
  code: string | null
  message: string | null
  duration_ms: number | null
  request_id: string | null
  details: Json | null
}
