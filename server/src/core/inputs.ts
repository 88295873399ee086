import type { z } from 'zod'
import type { Tool } from './connector.ts'
import { PatchbayError } from './errors.ts'

const strictSchemas = new WeakMap<Tool, z.ZodObject>()

/**
 * A tool's input as its `run` expects it: aliases renamed, nulls of optional fields dropped, defaults filled in.
 * Throws `invalid_input` naming each wrong field and what was expected.
 */
export function checkedInput(name: string, tool: Tool, given: Record<string, unknown>): Record<string, unknown> {
  let schema = strictSchemas.get(tool)
  if (!schema) {
    schema = tool.input.strict()
    strictSchemas.set(tool, schema)
  }
  const parsed = schema.safeParse(plainInput(tool, given))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, 8).map((issue) => ({
    field: issue.path.map(String).join('.') || undefined,
    expected: issueSentence(issue, Object.keys(tool.input.shape)),
  }))
  const sentence = issues.map(({ field, expected }) => (field ? `"${field}" ${expected}` : expected)).join('; ')
  throw new PatchbayError('invalid_input', `${name}: ${sentence}.`, { details: { tool: name, issues } })
}

function plainInput(tool: Tool, given: Record<string, unknown>): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  const { shape } = tool.input
  for (const [key, value] of Object.entries(given)) {
    const field =
      !(key in shape) && Object.hasOwn(tool.paramAliases ?? {}, key) ? (tool.paramAliases?.[key] as string) : key
    // Clients fill unused options with null; where null is not itself allowed it means "not given".
    if (value === null && field in shape && !shape[field].safeParse(null).success) continue
    if (!(field in plain) || field === key) plain[field] = value
  }
  return plain
}

function issueSentence(issue: z.core.$ZodIssue, fields: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => {
        const near = nearest(key, fields)
        return `has no field "${key}"${near ? `, did you mean "${near}"?` : ` (its fields: ${fields.join(', ') || 'none'})`}`
      })
      .join('; ')
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return `is required: expected ${issue.expected}`
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
}

/** The candidate that differs least from what was typed, if it is close. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(typed.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase(), least)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Levenshtein distance, given up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, (previous[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    previous = row
  }
  return previous[b.length] as number
}
