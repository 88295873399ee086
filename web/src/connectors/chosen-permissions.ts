import type { ConnectorDetail, ToolSummary } from '@patchbay/sdk'

export type Permission = 'read' | 'write' | 'pick'

/** The `tools` member of a connect request; absent asks for the read-only minimum. */
export function toolsToAsk(permission: Permission, picked: ReadonlySet<string>): string[] | undefined {
  if (permission === 'read') return undefined
  return permission === 'write' ? ['*'] : [...picked].sort()
}

/** The tools that a choice makes usable. */
export function chosenTools(
  connector: ConnectorDetail,
  permission: Permission,
  picked: ReadonlySet<string>,
): ToolSummary[] {
  if (permission === 'write') return connector.tools
  return connector.tools.filter((tool) => (permission === 'read' ? tool.effect === 'read' : picked.has(tool.name)))
}

/**
 * What the service will be asked for, in words: the first way each tool can be allowed, unless another chosen one
 * already allows it. The gateway decides the same way, and may ask for less where one scope includes another.
 */
export function permissionsInWords(connector: ConnectorDetail, tools: readonly ToolSummary[]): string[] {
  const wanted = new Set<string>()
  for (const { scopes } of tools) {
    const allowed = scopes.some((alternative) => [alternative].flat().every((scope) => wanted.has(scope)))
    if (!allowed) for (const scope of [scopes[0] ?? []].flat()) wanted.add(scope)
  }
  return connector.scopes.filter(({ name }) => wanted.has(name)).map(({ description }) => description)
}
