export interface ResultTable {
  columns: string[]
  rows: Record<string, unknown>[]
}

const MAX_COLUMNS = 8

/**
 * A table, if every item is an object and they have something in common. Columns are what most rows have: what people
 * read first, then ids, then nested values; what does not fit is in the JSON view.
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
    .sort(
      ([a, x], [b, y]) =>
        Number(x.nested) - Number(y.nested) || y.count - x.count || rank(a) - rank(b) || x.order - y.order,
    )
    .slice(0, MAX_COLUMNS)
    .sort(([a, x], [b, y]) => Number(x.nested) - Number(y.nested) || rank(a) - rank(b) || x.order - y.order)
    .map(([name]) => name)
  return chosen.length === 0 ? undefined : { columns: chosen, rows }
}

/** Ids are for the next call, not for reading. */
function rank(column: string): number {
  return /(^|_)(id|ids|sha|token|etag|ts)$|[a-z](Id|Ids)$/.test(column) ? 1 : 0
}
