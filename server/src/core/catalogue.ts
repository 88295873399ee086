import { z } from 'zod'
import type { Connector, Tool } from './connector.ts'
import { shapeMistakes } from './connector-shape.ts'
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
  const mistakes: string[] = []
  const sound: Connector[] = []
  for (const one of declared) {
    const own = connectorMistakes(one)
    if (own.length === 0) sound.push(one)
    mistakes.push(...own)
  }
  const connectors = new Map<string, Connector>()
  const tools = new Map<string, { name: string; connector: Connector; tool: Tool }>()
  const providers = new Map<string, Provider>()

  for (const one of sound.sort((a, b) => a.name.localeCompare(b.name))) {
    const connector = withServiceUrls(one, serviceUrls)
    if (connectors.has(connector.id)) mistakes.push(`connector "${connector.id}" is declared twice`)
    connectors.set(connector.id, connector)
    const provider = providers.get(connector.provider.id) ?? connector.provider
    providers.set(provider.id, provider)
    // One OAuth app serves all of a provider's connectors, so they must mean the same service by it.
    if (JSON.stringify(provider) !== JSON.stringify(connector.provider))
      mistakes.push(`${connector.id}: the provider "${provider.id}" is declared differently by another connector`)
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
      const schema = toolSchema(found.tool)
      schemas.set(found.name, schema)
      return schema
    },
  }
}

/**
 * What is wrong with a connector, each with the place: fields that are missing, misspelt or of the wrong type, and names
 * that nothing answers to. Takes anything: no compiler may have seen it.
 */
export function connectorMistakes(connector: Connector): string[] {
  const { id } = Object(connector) as { id?: unknown }
  const at = typeof id === 'string' && id ? id : '(connector without id)'
  const amiss = shapeMistakes(connector)
  // What follows reads the fields as their types promise them.
  return (amiss.length > 0 ? amiss : nameMistakes(connector)).map((mistake) => `${at}: ${mistake}`)
}

function nameMistakes(connector: Connector): string[] {
  const mistakes: string[] = []
  const tokens = new Set(Object.keys(connector.provider.tokenAt ?? { default: '$' }))
  const unknownScope = (scope: string, where: string) => {
    if (!Object.hasOwn(connector.scopes, scope))
      mistakes.push(`${where} names the scope "${scope}", which the connector does not declare`)
  }
  for (const scope of connector.identityScopes) unknownScope(scope, 'identityScopes')
  for (const [scope, info] of Object.entries(connector.scopes)) {
    for (const other of info.includes ?? []) unknownScope(other, `scope "${scope}"`)
    if (info.token && !tokens.has(info.token)) {
      mistakes.push(`scope "${scope}" is carried by the token "${info.token}", which the provider does not give`)
    }
  }
  for (const [name, tool] of Object.entries(connector.tools)) {
    mistakes.push(...toolMistakes(name, tool, tokens).map((text) => `${name} ${text}`))
    for (const scope of tool.scopes.flat()) unknownScope(scope, `tool ${name}`)
  }
  return mistakes
}

function toolMistakes(name: string, tool: Tool, tokens: ReadonlySet<string>): string[] {
  const mistakes: string[] = []
  const fields = tool.input.shape as Readonly<Record<string, z.ZodType>>
  const isField = (field: string) => Object.hasOwn(fields, field)
  if (!/^[A-Z][A-Z0-9_]{2,100}$/.test(name)) mistakes.push('must be named CONNECTOR_VERB_NOUN in upper case')
  if (isField('account')) mistakes.push('must not have a field "account": the gateway adds it to choose a connection')
  for (const token of tool.tokens ?? []) {
    if (!tokens.has(token)) mistakes.push(`uses the token "${token}", which the provider does not give`)
  }
  for (const [alias, field] of Object.entries(tool.paramAliases ?? {})) {
    if (!isField(field))
      mistakes.push(`has an alias "${alias}" for the field "${field}", which its input does not have`)
    if (isField(alias)) mistakes.push(`has an alias "${alias}" that is also a field`)
  }
  if (typeof tool.run !== 'string') return mistakes

  const line = /^(?:GET|POST|PUT|PATCH|DELETE) (\/\S*)$/.exec(tool.run)
  const path = line?.[1]?.replace(/\{\w+\}/g, 'x')
  if (path === undefined || /[?#{}\\]|\/\.{1,2}(\/|$)/.test(path)) {
    mistakes.push(
      `has the request line "${tool.run}"; it must be METHOD /path with {field} for what comes from the input, without "?", "#", "." and ".."`,
    )
  }
  for (const [, field = ''] of tool.run.matchAll(/\{(\w+)\}/g)) {
    if (!isField(field)) mistakes.push(`uses {${field}} in its address, which its input does not have`)
    else if (mayBeAbsent(fields[field]))
      mistakes.push(`uses {${field}} in its address, which may be left out of its input`)
  }
  return mistakes
}

function mayBeAbsent(field: z.ZodType | undefined): boolean {
  const left = field?.safeParse(undefined)
  return left?.success === true && (left.data === undefined || left.data === null)
}

/** JSON Schema (2020-12) of a tool's input. Throws for a type that JSON does not have. */
export function toolSchema(tool: Tool): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input.strict(), { io: 'input' })
  return schema
}

function withServiceUrls(connector: Connector, serviceUrls: Readonly<Record<string, string>>): Connector {
  const moves = Object.entries(serviceUrls)
    .map(([from, to]) => [from.replace(/\/+$/, ''), to.replace(/\/+$/, '')] as const)
    .sort(([a], [b]) => b.length - a.length)
  if (moves.length === 0) return connector
  const moved = (address: string) => {
    // Whole parts of an address only: https://api.one does not begin https://api.one.example.
    const move = moves.find(
      ([from]) => address === from || (/^[/?#]/.test(address.slice(from.length)) && address.startsWith(from)),
    )
    return move ? move[1] + address.slice(move[0].length) : address
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
