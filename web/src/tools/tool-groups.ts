import type { Effect, ToolItem } from '@patchbay/sdk'

export interface ToolGroup {
  connector: string
  name: string
  tools: ToolItem[]
}

/** Tools that match the words and the effect, by connector, in reading order: what reads before what writes. */
export function toolGroups(tools: readonly ToolItem[], query: string, effect: Effect | 'all'): ToolGroup[] {
  const words = query
    .toLowerCase()
    .split(/[\s_]+/)
    .filter(Boolean)
  const groups = new Map<string, ToolGroup>()
  for (const tool of tools) {
    if (effect !== 'all' && tool.effect !== effect) continue
    const text = `${tool.title} ${tool.name} ${tool.connector}`.toLowerCase()
    if (!words.every((word) => text.includes(word))) continue
    const group = groups.get(tool.connector) ?? { connector: tool.connector, name: tool.provider, tools: [] }
    group.tools.push(tool)
    groups.set(tool.connector, group)
  }
  for (const group of groups.values()) {
    group.tools.sort((a, b) => ORDER[a.effect] - ORDER[b.effect] || a.title.localeCompare(b.title))
  }
  return [...groups.values()].sort((a, b) => a.name.localeCompare(b.name))
}

const ORDER: Record<Effect, number> = { read: 0, write: 1, destructive: 2 }
