import type { Connection } from './connection.ts'
import type { Connector, Tool } from './connector.ts'

/** Token name → scopes, sorted: what to ask for, or what was granted. */
export type ScopesByToken = Record<string, readonly string[]>

/**
 * The least to ask for so that these tools work, with the connector's identity scopes and, on a reconnect, what was
 * granted before. Scopes that another asked one includes are left out.
 */
export function scopesToAsk(
  connector: Connector,
  tools: readonly Tool[],
  extra: readonly string[] = [],
  before: ScopesByToken = {},
): ScopesByToken {
  const wanted = new Set<string>([...connector.identityScopes, ...extra])
  for (const scopes of Object.values(before))
    for (const scope of scopes) if (Object.hasOwn(connector.scopes, scope)) wanted.add(scope)
  for (const tool of tools) {
    const covered = tool.scopes.some((alternative) =>
      [alternative].flat().every((scope) => isCovered(connector, wanted, scope)),
    )
    if (!covered) for (const scope of [tool.scopes[0] ?? []].flat()) wanted.add(scope)
  }
  const asked: Record<string, string[]> = {}
  for (const scope of [...wanted].sort()) {
    wanted.delete(scope)
    // Taken out for good, or else two scopes that include each other would both be left out.
    if (!connector.identityScopes.includes(scope) && isCovered(connector, wanted, scope)) continue
    wanted.add(scope)
    const token = connector.scopes[scope]?.token ?? defaultToken(connector)
    asked[token] = [...(asked[token] ?? []), scope]
  }
  return asked
}

/** The read-only tools: what a plain Connect asks for. */
export function readOnlyTools(connector: Connector): Tool[] {
  return Object.values(connector.tools).filter((tool) => tool.effect === 'read')
}

/**
 * Scopes a tool still needs on this connection (its first alternative's missing members), or none when it may run.
 * A token whose grant is unknown (brought from elsewhere) is given the benefit of the doubt.
 */
export function missingScopes(connector: Connector, tool: Tool, connection: Connection): readonly string[] {
  if (tool.scopes.length === 0) return []
  const tokens = tool.tokens ?? Object.keys(connection.scopes)
  const granted = new Set<string>()
  for (const token of tokens) for (const scope of connection.scopes[token] ?? []) granted.add(scope)
  if (Object.keys(connection.scopes).length === 0) return []
  let fewest: string[] | undefined
  for (const alternative of tool.scopes) {
    const missing = [alternative].flat().filter((scope) => !isCovered(connector, granted, scope))
    if (missing.length === 0) return []
    fewest ??= missing
  }
  return fewest ?? []
}

/** Everything a connection's grants allow, scope by scope, in the connector's words. */
export function permissions(connector: Connector, connection: Connection) {
  const scopes = [...new Set(Object.values(connection.scopes).flat())]
  return scopes.flatMap((scope) => {
    const info = Object.hasOwn(connector.scopes, scope) ? connector.scopes[scope] : undefined
    return info ? [{ scope, description: info.description, effect: info.effect }] : []
  })
}

function isCovered(connector: Connector, granted: ReadonlySet<string>, scope: string): boolean {
  if (granted.has(scope)) return true
  for (const held of granted) if (includes(connector, held, scope, new Set())) return true
  return false
}

function includes(connector: Connector, held: string, scope: string, seen: Set<string>): boolean {
  if (seen.has(held)) return false
  seen.add(held)
  const inner = connector.scopes[held]?.includes ?? []
  return inner.includes(scope) || inner.some((one) => includes(connector, one, scope, seen))
}

function defaultToken(connector: Connector): string {
  return Object.keys(connector.provider.tokenAt ?? { default: '$' })[0] as string
}
