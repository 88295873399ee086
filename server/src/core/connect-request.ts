import type { Connection } from './connection.ts'
import type { Connector, Tool } from './connector.ts'
import { PatchbayError } from './errors.ts'
import type { Catalogue, ConnectRequest } from './gateway.ts'
import type { Provider } from './provider.ts'
import { readOnlyTools } from './scopes.ts'
import type { Authorization } from './storage.ts'

/** The connector of this id, or the only one of a provider. Throws `not_found` or `invalid_input`. */
export function connectorFor(catalogue: Catalogue, id: string): Connector {
  const connector = catalogue.connector(id)
  if (connector) return connector
  const ofProvider = catalogue.connectors().filter((one) => one.provider.id === id)
  if (ofProvider.length === 1) return ofProvider[0] as Connector
  if (ofProvider.length > 1) {
    throw new PatchbayError(
      'invalid_input',
      `"${id}" has several connectors; name one: ${ofProvider.map((one) => one.id).join(', ')}.`,
    )
  }
  throw new PatchbayError('not_found', `There is no connector "${id}". GET /connectors lists them.`)
}

/** Ids are the caller's own: any text that can stand in a line of a log. */
export function isUserId(userId: string): boolean {
  return userId.length >= 1 && userId.length <= 200 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(userId)
}

export function assertUserId(userId: string): void {
  if (!isUserId(userId)) {
    throw new PatchbayError('invalid_input', '"user_id" must be 1 to 200 characters without control characters.')
  }
}

export function noOAuthApp(provider: Provider, publicUrl: string): PatchbayError {
  return new PatchbayError(
    'not_configured',
    `No OAuth app for ${provider.name} is set up on this gateway, so nobody can connect it yet.`,
    {
      fix: {
        action: `An administrator enters the client id and secret of a ${provider.name} OAuth app`,
        url: `${publicUrl}/settings/oauth-apps/${provider.id}`,
      },
      details: { provider: provider.id },
    },
  )
}

/** Values of the provider's connection parameters, each held against its pattern. Throws `invalid_input`. */
export function checkedSettings(provider: Provider, given: Record<string, string>): Record<string, string> {
  const params = provider.connectionParams ?? []
  const settings: Record<string, string> = {}
  for (const key of Object.keys(given)) {
    if (!params.some((param) => param.key === key)) {
      throw new PatchbayError(
        'invalid_input',
        `"settings.${key}" is not something ${provider.name} needs${params.length > 0 ? ` (it needs: ${params.map((param) => param.key).join(', ')})` : ''}.`,
      )
    }
  }
  for (const param of params) {
    const value = given[param.key] ?? param.default
    if (value === undefined || value === '') {
      if (param.required)
        throw new PatchbayError('invalid_input', `"settings.${param.key}" is required: ${param.help ?? param.label}.`)
      continue
    }
    if (!new RegExp(`^(?:${param.pattern})$`).test(value)) {
      throw new PatchbayError(
        'invalid_input',
        `"settings.${param.key}" does not look like a ${param.label}${param.help ? `: ${param.help}` : ''}.`,
      )
    }
    settings[param.key] = value
  }
  return settings
}

/** The tools whose scopes are asked for; reading ones where nothing was chosen. Throws `invalid_input`. */
export function askedTools(connector: Connector, request: ConnectRequest): Tool[] {
  if (!request.tools) return readOnlyTools(connector)
  return request.tools.flatMap((name) => {
    if (name === '*') return Object.values(connector.tools)
    const wanted = name.toUpperCase()
    const found = Object.entries(connector.tools).find(
      ([own, tool]) => own === wanted || tool.aliases?.includes(wanted),
    )
    if (!found) throw new PatchbayError('invalid_input', `"tools": ${connector.name} has no tool "${name}".`)
    return [found[1]]
  })
}

/** Further scopes by name, all known to the connector. Throws `invalid_input`. */
export function checkedScopes(connector: Connector, scopes: readonly string[] = []): readonly string[] {
  for (const scope of scopes) {
    if (!Object.hasOwn(connector.scopes, scope)) {
      throw new PatchbayError(
        'invalid_input',
        `"scopes": ${connector.name} does not use the scope "${scope}" (it uses: ${Object.keys(connector.scopes).join(', ')}).`,
      )
    }
  }
  return scopes
}

/** A connection that waits for its user to come back from the provider. */
export function pendingConnection(
  flow: Pick<Authorization, 'projectId' | 'userId' | 'connectorId' | 'connectionId' | 'settings'> &
    Partial<Pick<Authorization, 'oauthAppId'>>,
  label: string,
  at: number,
): Connection {
  return {
    id: flow.connectionId,
    projectId: flow.projectId,
    userId: flow.userId,
    connectorId: flow.connectorId,
    label,
    isDefault: false,
    status: 'pending',
    statusReason: {
      code: 'not_finished',
      message: 'The user has not finished connecting.',
      fix: 'Finish connecting, or start again',
      at,
    },
    account: null,
    settings: flow.settings,
    captured: {},
    scopes: {},
    credential: null,
    generation: 0,
    expiresAt: null,
    refreshAfter: null,
    refreshFailures: 0,
    refreshIntent: null,
    fence: 0,
    leaseUntil: null,
    oauthAppId: flow.oauthAppId ?? null,
    createdAt: at,
    updatedAt: at,
  }
}
