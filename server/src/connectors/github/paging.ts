import type { Path, Query, Service } from '../../core/connector.ts'

/** GitHub's own largest page number for searches: 1,000 results. */
const SEARCH_REACH = 1000

interface Page {
  page: number
  per_page: number
}

/**
 * One page of a list, shaped. Whether more follows is told by the page being full, so the next one may turn out
 * empty; the answer says so.
 */
export async function listPage<T>(
  service: Service,
  path: Path,
  query: Query & Page,
  name: string,
  shape: (raw: any) => T,
): Promise<Record<string, unknown>> {
  const answer = await service.get(path, query)
  const items: any[] = Array.isArray(answer) ? answer : (answer?.[name] ?? [])
  return { [name]: items.map(shape), ...following(items.length, query) }
}

export function following(count: number, { page, per_page }: Page) {
  if (count < per_page) return { page, next_page: null }
  return { page, next_page: page + 1, note: `Page ${page} is full: page ${page + 1} may hold more, or nothing.` }
}

/** One page of a search, which knows its total. */
export async function searchPage<T>(
  service: Service,
  path: Path,
  query: Query & Page,
  shape: (raw: any) => T,
): Promise<Record<string, unknown>> {
  const answer = await service.get(path, query)
  const total = Number(answer?.total_count ?? 0)
  const seen = query.page * query.per_page
  return {
    total_count: total,
    // GitHub ran out of time and searched only a part.
    ...(answer?.incomplete_results && { incomplete_results: true }),
    items: (answer?.items ?? []).map(shape),
    page: query.page,
    next_page: seen < Math.min(total, SEARCH_REACH) ? query.page + 1 : null,
  }
}
