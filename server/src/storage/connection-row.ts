import type { Connection, ConnectionStatus } from '../core/connection.ts'
import { tell, type Unit } from './engine.ts'
import { fromJson, fromNullableJson, toJson, toNullableJson } from './json.ts'
import type { ConnectionRow } from './schema.ts'
import { storable } from './storable-text.ts'

export function toConnectionRow(connection: Connection): ConnectionRow {
  return {
    id: connection.id,
    project_id: connection.projectId,
    user_id: connection.userId,
    connector_id: connection.connectorId,
    label: storable(connection.label),
    is_default: connection.isDefault ? 1 : 0,
    status: connection.status,
    status_reason: toNullableJson(connection.statusReason),
    account: toNullableJson(connection.account),
    account_id: storable(connection.account?.id ?? null),
    settings: toJson(connection.settings),
    captured: toJson(connection.captured),
    scopes: toJson(connection.scopes),
    credential: connection.credential,
    generation: connection.generation,
    expires_at: connection.expiresAt,
    refresh_after: connection.refreshAfter,
    refresh_failures: connection.refreshFailures,
    refresh_intent: toNullableJson(connection.refreshIntent),
    interrupted_intent: null,
    fence: connection.fence,
    lease_until: connection.leaseUntil,
    oauth_app_id: connection.oauthAppId,
    created_at: connection.createdAt,
    updated_at: connection.updatedAt,
  }
}

export function fromConnectionRow(found: ConnectionRow): Connection {
  return {
    id: found.id,
    projectId: found.project_id,
    userId: found.user_id,
    connectorId: found.connector_id,
    label: found.label,
    isDefault: found.is_default === 1,
    status: found.status as ConnectionStatus,
    statusReason: fromNullableJson(found.status_reason),
    account: fromNullableJson(found.account),
    settings: fromJson(found.settings),
    captured: fromJson(found.captured),
    scopes: fromJson(found.scopes),
    credential: found.credential,
    generation: found.generation,
    expiresAt: found.expires_at,
    refreshAfter: found.refresh_after,
    refreshFailures: found.refresh_failures,
    refreshIntent: fromNullableJson(found.refresh_intent),
    fence: found.fence,
    leaseUntil: found.lease_until,
    oauthAppId: found.oauth_app_id,
    createdAt: found.created_at,
    updatedAt: found.updated_at,
  }
}

/** What `tellConnection` needs of a row. */
export const OWNED = ['id', 'project_id', 'user_id'] as const

export function tellConnection(owned: Pick<ConnectionRow, (typeof OWNED)[number]>): Unit<void> {
  return tell({ kind: 'connection', id: owned.id, projectId: owned.project_id, userId: owned.user_id })
}
