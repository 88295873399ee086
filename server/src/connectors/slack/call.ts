import type { Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'

/**
 * Calls a Web API method. Every method, reads too, takes a form POST, with structures as JSON strings; undefined
 * arguments are left out. https://docs.slack.dev/apis/web-api/
 */
export async function call(
  service: Service,
  method: string,
  args: Readonly<Record<string, unknown>> = {},
  token?: string,
): Promise<any> {
  const form: Record<string, string> = {}
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue
    form[name] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return service.post(`/${method}`, form, { as: 'form', ...(token !== undefined && { token }) })
}

/** How many pages one tool call follows before it hands the cursor back. */
export const MAX_PAGES = 5

/**
 * Follows `next_cursor` until `limit` items are there, the list ends or `MAX_PAGES` pages were read: Slack may answer
 * short pages that are not the last. Never reads past `limit`, so that the cursor handed back skips nothing.
 */
export async function collect(
  service: Service,
  method: string,
  key: string,
  args: Readonly<Record<string, unknown>>,
  { limit, pageSize, cursor }: { limit: number; pageSize: number; cursor?: string | undefined },
): Promise<{ items: any[]; next_cursor: string | null }> {
  const items: any[] = []
  let next = cursor
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await call(service, method, {
      ...args,
      limit: Math.min(pageSize, limit - items.length),
      cursor: next,
    })
    items.push(...list(answer?.[key]))
    next = nextCursor(answer)
    if (next === undefined || items.length >= limit) break
  }
  return { items, next_cursor: next ?? null }
}

/** Absent and empty both mean that the list ended. */
function nextCursor(answer: any): string | undefined {
  const cursor: unknown = answer?.response_metadata?.next_cursor
  return typeof cursor === 'string' && cursor !== '' ? cursor : undefined
}

export function list(value: unknown): any[] {
  return Array.isArray(value) ? value : []
}

/** Block Kit blocks or attachments, given as an array or as its JSON text. */
export function jsonArray(field: string, value: unknown): unknown[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return value
  try {
    const parsed: unknown = JSON.parse(String(value))
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Falls through to the one sentence that fits both mistakes.
  }
  throw new PatchbayError('invalid_input', `\`${field}\` must be a JSON array.`, { details: { field } })
}

/** Unix seconds from a number, its text, or an ISO 8601 date. */
export function unixSeconds(field: string, value: string | number): number {
  if (typeof value === 'number') return Math.floor(value)
  if (/^\d{1,11}(\.\d+)?$/.test(value)) return Math.floor(Number(value))
  // A date without an offset would be read in the gateway's own time zone, which means nothing to the caller.
  const zoned = /^\d{4}-\d{2}-\d{2}T.+(Z|[+-]\d{2}:?\d{2})$/i.test(value)
  const at = zoned ? Date.parse(value) : Number.NaN
  if (!Number.isNaN(at)) return Math.floor(at / 1000)
  throw new PatchbayError(
    'invalid_input',
    `\`${field}\` must be Unix seconds (1767225600) or an ISO 8601 time with an offset (2026-01-01T00:00:00Z).`,
    { details: { field } },
  )
}
