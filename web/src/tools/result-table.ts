export interface ResultTable {
  columns: string[]
  rows: Record<string, unknown>[]
}

const MAX_COLUMNS = 8

/**
 * A table, if every item is an object and they have something in common. Columns are what most rows have, simple values
 * before nested ones; what does not fit is in the JSON view.
 */
export function tableOf(items: readonly unknown[]): ResultTable | undefined {
  const rows = items.filter(
    (one): one is Record<string, unknown> => typeof one === 'object' && one !== null && !Array.isArray(one),
  )
  if (rows.length === 0 || rows.length !== items.length) return undefined
  const seen = new Map<string, { count: number; nested: boolean; order: number }>()
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      const column = seen.get(name) ?? { count: 0, nested: false, order: seen.size }
      if (value !== null && value !== undefined && value !== '') column.count += 1
      if (typeof value === 'object' && value !== null) column.nested = true
      seen.set(name, column)
    }
  }
  const useful = [...seen].filter(([, { count }]) => count > 0)
  const chosen = useful
    .sort(([, a], [, b]) => Number(a.nested) - Number(b.nested) || b.count - a.count || a.order - b.order)
    .slice(0, MAX_COLUMNS)
    .sort(([, a], [, b]) => Number(a.nested) - Number(b.nested) || a.order - b.order)
    .map(([name]) => name)
  return chosen.length === 0 ? undefined : { columns: chosen, rows }
}
