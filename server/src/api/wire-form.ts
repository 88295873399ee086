import type * as wire from '@patchbay/sdk/wire'
import type { Policy } from '../core/caller.ts'
import type { Connection } from '../core/connection.ts'
import type { Connector } from '../core/connector.ts'
import type { Event } from '../core/events.ts'
import type { Catalogue, ListedTool, ToolResult } from '../core/gateway.ts'
import { permissions } from '../core/scopes.ts'
import type { ApiKey, Instance, Project } from '../core/storage.ts'

/** Core nouns as callers see them. Each form lists its members by hand, so nothing new in the core leaks by itself. */

export function timeForm(epochMs: number): wire.Timestamp {
  return new Date(epochMs).toISOString()
}

function timeOrNull(epochMs: number | null): wire.Timestamp | null {
  return epochMs === null ? null : timeForm(epochMs)
}

export function connectionForm(connection: Connection, catalogue: Catalogue): wire.Connection {
  const connector = catalogue.connector(connection.connectorId)
  const { account, statusReason } = connection
  return {
    id: connection.id,
    user_id: connection.userId,
    connector: connection.connectorId,
    label: connection.label,
    is_default: connection.isDefault,
    status: connection.status,
    status_reason: statusReason && {
      code: statusReason.code,
      message: statusReason.message,
      fix: statusReason.fix,
      at: timeForm(statusReason.at),
    },
    account: account && {
      id: account.id,
      label: account.label,
      ...(account.email !== undefined && { email: account.email }),
      ...(account.organisation !== undefined && { organisation: account.organisation }),
      ...(account.avatarUrl !== undefined && { avatar_url: account.avatarUrl }),
    },
    scopes: [...new Set(Object.values(connection.scopes).flat())],
    permissions: connector ? permissions(connector, connection) : [],
    expires_at: timeOrNull(connection.expiresAt),
    created_at: timeForm(connection.createdAt),
    updated_at: timeForm(connection.updatedAt),
  }
}

export function connectorForm(connector: Connector, configured: boolean): wire.ConnectorSummary {
  return {
    id: connector.id,
    kind: connector.kind,
    name: connector.name,
    description: connector.description,
    category: connector.category,
    provider: connector.provider.id,
    tools_count: Object.keys(connector.tools).length,
    configured,
  }
}

export function connectorDetailForm(
  connector: Connector,
  configured: boolean,
  redirectUri: string,
  catalogue: Catalogue,
): wire.ConnectorDetail {
  return {
    ...connectorForm(connector, configured),
    form: connectForm(connector),
    scopes: Object.entries(connector.scopes).map(([name, { description, effect }]) => ({ name, description, effect })),
    tools: Object.entries(connector.tools).map(([name, tool]) => ({
      name,
      title: tool.title,
      description: tool.description,
      effect: tool.effect,
      scopes: tool.scopes.map((scope) => (typeof scope === 'string' ? scope : [...scope])),
      parameters: catalogue.inputSchema(name),
    })),
    setup: { url: connector.provider.setup.url, steps: [...connector.provider.setup.steps], redirect_uri: redirectUri },
  }
}

/** What to ask a person before connecting, as JSON Schema. */
function connectForm(connector: Connector): wire.JsonSchema {
  const params = connector.provider.connectionParams ?? []
  return {
    type: 'object',
    properties: Object.fromEntries(
      params.map((param) => [
        param.key,
        {
          type: 'string',
          title: param.label,
          pattern: param.pattern,
          ...(param.help !== undefined && { description: param.help }),
          ...(param.default !== undefined && { default: param.default }),
        },
      ]),
    ),
    required: params.filter((param) => param.required).map((param) => param.key),
    additionalProperties: false,
  }
}

export function toolForm(tool: ListedTool, catalogue: Catalogue): wire.ToolItem {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    provider: catalogue.connector(tool.connectorId)?.provider.id ?? tool.connectorId,
    connector: tool.connectorId,
    effect: tool.effect,
    parameters: tool.inputSchema,
    available: tool.available,
    ...(tool.unavailable && { unavailable: tool.unavailable }),
    accounts: tool.connections.map((connection) => ({
      connection_id: connection.id,
      label: connection.label,
      is_default: connection.isDefault,
      status: connection.status,
    })),
  }
}

export function executedForm(result: ToolResult): Omit<wire.ExecuteReply, 'request_id'> {
  return {
    success: true,
    // JSON has no undefined: a tool that answers nothing still has a `result` member.
    result: result.data === undefined ? null : result.data,
    connection_id: result.connectionId,
    truncated: result.truncated,
    duration_ms: result.durationMs,
    event_id: result.eventId,
  }
}

export function instanceForm(instance: Instance, publicUrl: string): wire.Instance {
  return {
    id: instance.id,
    user_id: instance.userId,
    name: instance.name,
    url: `${publicUrl}/${instance.id}/mcp`,
    token_prefix: instance.tokenPrefix,
    policy: policyForm(instance.policy),
    created_at: timeForm(instance.createdAt),
    last_used_at: timeOrNull(instance.lastUsedAt),
  }
}

export function apiKeyForm(key: ApiKey): wire.ApiKey {
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    user_id: key.userId,
    prefix: key.prefix,
    policy: policyForm(key.policy),
    expires_at: timeOrNull(key.expiresAt),
    created_at: timeForm(key.createdAt),
    last_used_at: timeOrNull(key.lastUsedAt),
    revoked_at: timeOrNull(key.revokedAt),
  }
}

export function projectForm(project: Project): wire.Project {
  return {
    id: project.id,
    name: project.name,
    redirect_urls: [...project.redirectUrls],
    created_at: timeForm(project.createdAt),
  }
}

export function eventForm(event: Event): wire.Event {
  return {
    id: event.id,
    at: timeForm(event.at),
    type: event.type,
    outcome: event.outcome,
    actor: { type: event.actor.type, id: event.actor.id },
    user_id: event.userId,
    connector: event.connectorId,
    connection_id: event.connectionId,
    tool: event.tool,
    code: event.code,
    message: event.message,
    duration_ms: event.durationMs,
    request_id: event.requestId,
    details: event.details,
  }
}

function policyForm(policy: Policy): wire.Policy {
  return {
    ...(policy.connectors && { connectors: [...policy.connectors] }),
    ...(policy.tools && { tools: [...policy.tools] }),
    ...(policy.deny_tools && { deny_tools: [...policy.deny_tools] }),
    ...(policy.effects && { effects: [...policy.effects] }),
    ...(policy.users && { users: [...policy.users] }),
  }
}

/** A policy as the core takes it: absent members stay absent. */
export function policyFrom(input: { [Key in keyof Policy]?: Policy[Key] | undefined } | undefined): Policy | undefined {
  if (!input) return undefined
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Policy
}
