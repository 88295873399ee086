import { z } from 'zod'
import type { Connector, Tool } from './connector.ts'
import type { Catalogue } from './gateway.ts'
import type { Provider } from './provider.ts'

/**
 * The connectors this gateway offers. Throws one Error that lists every mistake by connector, tool and field.
 * `serviceUrls` replaces the start of service addresses (longest match first): emulators, proxies, GitHub Enterprise.
 */
export function createCatalogue(
  declared: readonly Connector[],
  serviceUrls: Readonly<Record<string, string>> = {},
): Catalogue {
  const mistakes = declared.flatMap(connectorMistakes)
  const connectors = new Map<string, Connector>()
  const tools = new Map<string, { name: string; connector: Connector; tool: Tool }>()
  const providers = new Map<string, Provider>()

  for (const one of [...declared].sort((a, b) => a.name.localeCompare(b.name))) {
    const connector = withServiceUrls(one, serviceUrls)
    if (connectors.has(connector.id)) mistakes.push(`connector "${connector.id}" is declared twice`)
    connectors.set(connector.id, connector)
    if (!providers.has(connector.provider.id)) providers.set(connector.provider.id, connector.provider)
    for (const [name, tool] of Object.entries(connector.tools)) {
      for (const key of [name, ...(tool.aliases ?? [])].map((text) => text.toUpperCase())) {
        const taken = tools.get(key)
        if (taken) mistakes.push(`${connector.id}: the tool name ${key} is already taken by ${taken.name}`)
        else tools.set(key, { name, connector, tool })
      }
    }
  }
  if (mistakes.length > 0) throw new Error(`The connectors have mistakes:\n- ${mistakes.join('\n- ')}`)

  const schemas = new Map<string, Record<string, unknown>>()
  const connectorList = [...connectors.values()]
  const providerList = [...providers.values()]
  return {
    connectors: () => connectorList,
    connector: (id) => connectors.get(id),
    providers: () => providerList,
    provider: (id) => providers.get(id),
    tool: (name) => tools.get(name) ?? tools.get(name.toUpperCase()),
    inputSchema(name) {
      const known = schemas.get(name)
      if (known) return known
      const found = tools.get(name.toUpperCase())
      if (!found) throw new Error(`No tool ${name}`)
      const { $schema: _, ...schema } = z.toJSONSchema(found.tool.input.strict(), { io: 'input' })
      schemas.set(found.name, schema)
      return schema
    },
  }
}

/** What is wrong with a connector that its types could not say, each with the place. */
export function connectorMistakes(connector: Connector): string[] {
  const mistakes: string[] = []
  const at = connector.id || '(connector without id)'
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(connector.id)) {
    mistakes.push(`${at}: the id must be lower case letters, digits and hyphens`)
  }
  if (!/^https:\/\/[^/?#]+(\/[^?#]*)?$/.test(connector.api) || connector.api.endsWith('/')) {
    mistakes.push(`${at}: api must be an https address without a trailing slash, got "${connector.api}"`)
  }
  const scopes = new Set(Object.keys(connector.scopes))
  const tokens = new Set(Object.keys(connector.provider.tokenAt ?? { default: '$' }))
  const unknownScope = (scope: string, where: string) => {
    if (!scopes.has(scope))
      mistakes.push(`${at}: ${where} names the scope "${scope}", which the connector does not declare`)
  }
  for (const scope of connector.identityScopes) unknownScope(scope, 'identityScopes')
  for (const [scope, info] of Object.entries(connector.scopes)) {
    for (const other of info.includes ?? []) unknownScope(other, `scope "${scope}"`)
    if (info.token && !tokens.has(info.token)) {
      mistakes.push(`${at}: scope "${scope}" is carried by the token "${info.token}", which the provider does not give`)
    }
  }
  for (const [name, tool] of Object.entries(connector.tools)) {
    mistakes.push(...toolMistakes(name, tool, tokens).map((text) => `${at}: ${name} ${text}`))
    for (const scope of tool.scopes.flat()) unknownScope(scope, `tool ${name}`)
  }
  return mistakes
}

function toolMistakes(name: string, tool: Tool, tokens: ReadonlySet<string>): string[] {
  const mistakes: string[] = []
  if (!/^[A-Z][A-Z0-9_]{2,100}$/.test(name)) mistakes.push('must be named CONNECTOR_VERB_NOUN in upper case')
  if (!['read', 'write', 'destructive'].includes(tool.effect)) {
    mistakes.push(`has the effect "${tool.effect}"; it must be read, write or destructive`)
  }
  const fields = tool.input?.shape as Record<string, unknown> | undefined
  if (!fields) return [...mistakes, 'needs an `input` made with z.object']
  if ('account' in fields) mistakes.push('must not have a field "account": the gateway adds it to choose a connection')
  for (const token of tool.tokens ?? []) {
    if (!tokens.has(token)) mistakes.push(`uses the token "${token}", which the provider does not give`)
  }
  for (const [alias, field] of Object.entries(tool.paramAliases ?? {})) {
    if (!(field in fields))
      mistakes.push(`has an alias "${alias}" for the field "${field}", which its input does not have`)
    if (alias in fields) mistakes.push(`has an alias "${alias}" that is also a field`)
  }
  if (typeof tool.run === 'string') {
    if (!/^(GET|POST|PUT|PATCH|DELETE) \/\S*$/.test(tool.run)) {
      mistakes.push(`has the request line "${tool.run}"; it must be METHOD /path`)
    }
    for (const [, field = ''] of tool.run.matchAll(/\{(\w+)\}/g)) {
      if (!(field in fields)) mistakes.push(`uses {${field}} in its address, which its input does not have`)
    }
  } else if (typeof tool.run !== 'function') {
    mistakes.push('needs `run`: a request line or a function')
  }
  return mistakes
}

function withServiceUrls(connector: Connector, serviceUrls: Readonly<Record<string, string>>): Connector {
  const prefixes = Object.keys(serviceUrls).sort((a, b) => b.length - a.length)
  if (prefixes.length === 0) return connector
  const moved = (address: string) => {
    const prefix = prefixes.find((start) => address.startsWith(start))
    return prefix === undefined ? address : serviceUrls[prefix] + address.slice(prefix.length)
  }
  const { provider } = connector
  const api = moved(connector.api)
  return {
    ...connector,
    api,
    ...(api !== connector.api && connector.uploadHosts
      ? { uploadHosts: [...connector.uploadHosts, new URL(api).host] }
      : {}),
    provider: {
      ...provider,
      authorizeUrl: moved(provider.authorizeUrl),
      tokenUrl: moved(provider.tokenUrl),
      ...(provider.revoke && { revoke: { ...provider.revoke, url: moved(provider.revoke.url) } }),
      ...(provider.identity && { identity: { ...provider.identity, url: moved(provider.identity.url) } }),
    },
  }
}
