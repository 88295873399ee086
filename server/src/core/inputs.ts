import type { z } from 'zod'
import type { Tool } from './connector.ts'
import { PatchbayError } from './errors.ts'

/** Mistakes told at once, and the most characters of a name or sentence among them: some are made of the input. */
const MAX_ISSUES = 8
const MAX_NAME = 100
const MAX_SENTENCE = 1_000

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
  const plain = plainInput(tool, given)
  const parsed = schema.safeParse(plain)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, MAX_ISSUES).map((issue) => ({
    field: issue.path.map(String).join('.').slice(0, MAX_NAME) || undefined,
    expected: issueSentence(issue, plain, Object.keys(tool.input.shape)).slice(0, MAX_SENTENCE),
  }))
  const sentence = issues.map(({ field, expected }) => (field ? `"${field}" ${expected}` : expected)).join('; ')
  throw new PatchbayError('invalid_input', `${name}: ${sentence}.`, { details: { tool: name, issues } })
}

function plainInput(tool: Tool, given: Record<string, unknown>): Record<string, unknown> {
  // Without a prototype, so that a field called __proto__ is an unknown field like any other.
  const plain: Record<string, unknown> = Object.create(null)
  const shape = tool.input.shape as Record<string, z.ZodType>
  const aliases = tool.paramAliases ?? {}
  for (const [key, value] of Object.entries(given)) {
    const known = Object.hasOwn(shape, key)
    const field = !known && Object.hasOwn(aliases, key) ? (aliases[key] as string) : key
    const schema = Object.hasOwn(shape, field) ? shape[field] : undefined
    // Clients fill unused options with null; where null is not itself allowed it means "not given".
    if (value === null && schema && !schema.safeParse(null).success) continue
    if (!(field in plain) || field === key) plain[field] = value
  }
  return plain
}

function issueSentence(issue: z.core.$ZodIssue, given: unknown, fields: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, MAX_ISSUES)
      .map((key) => {
        const name = key.slice(0, MAX_NAME)
        if (issue.path.length > 0) return `has no field "${name}"`
        const near = nearest(name, fields)
        return `has no field "${name}"${near ? `, did you mean "${near}"?` : ` (its fields: ${fields.join(', ') || 'none'})`}`
      })
      .join('; ')
  }
  const expected = expectedBy(issue)
  if (expected && valueAt(given, issue.path) === undefined) return `is required: expected ${expected}`
  if (issue.code === 'invalid_union' && expected) return `must be ${expected}`
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
}

/** What would have fitted, where it can be said in a few words. */
function expectedBy(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_type') return issue.expected
  if (issue.code === 'invalid_value') return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
  if (issue.code === 'invalid_union') {
    const options = issue.errors.flatMap(([first]) => (first ? (expectedBy(first) ?? []) : []))
    return options.length > 0 ? [...new Set(options)].join(' or ') : undefined
  }
  return undefined
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let value = given
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return value
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
