import type { FastifySchemaCompiler } from 'fastify'
import { z } from 'zod'
import { PatchbayError } from '../core/errors.ts'

/** Where in the request a value was, as the sentence says it. */
const PARTS: Record<string, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

/**
 * Checks requests with the routes' zod schemas. A refusal is `invalid_input` whose message names each field and what
 * was expected there, and never repeats the value, which may be a secret sent in the wrong place.
 */
export const requestValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = PARTS[httpPart ?? 'body'] ?? 'request'
  return (data) => {
    // Fastify hands over `null` for a body that is not there.
    const result = schema.safeParse(data === null ? undefined : data, { error: expectation })
    if (result.success) return { value: result.data }
    return { error: invalidInput(result.error.issues, part, schema) }
  }
}

/** The most problems one answer lists. */
const MAX_FIELDS = 5

function invalidInput(issues: readonly z.core.$ZodIssue[], part: string, schema: z.ZodType): PatchbayError {
  const fields = issues.slice(0, MAX_FIELDS).map((issue) => ({
    path: issue.path.length === 0 ? part : issue.path.map(String).join('.'),
    problem: issue.code === 'unrecognized_keys' ? unknownFields(issue, schema) : issue.message,
  }))
  const sentence = fields.map(({ path, problem }) => `\`${path}\` ${problem}`).join('; ')
  return new PatchbayError('invalid_input', `${sentence}.`, { details: { in: part, fields } })
}

function unknownFields(issue: z.core.$ZodIssueUnrecognizedKeys, schema: z.ZodType): string {
  const names = issue.keys.slice(0, MAX_FIELDS).map((key) => `\`${printable(key)}\``)
  const known = issue.path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const hint = known.length > 0 ? `; it knows ${known.map((key) => `\`${key}\``).join(', ')}` : ''
  return `has no field ${names.join(', ')}${hint}`
}

function printable(name: string): string {
  return name.slice(0, 64).replace(/[\u0000-\u001f\u007f`]/g, '?')
}

/** Says what a field must be, to follow the field's name in a sentence. */
const expectation: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing; it must be ${article(issue.expected)}`
        : `must be ${article(issue.expected)}, not ${article(typeName(issue.input))}`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'too_small':
      return `must ${bound(issue.origin, 'at least', Number(issue.minimum))}`
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', Number(issue.maximum))}`
    case 'invalid_format':
      return `must be a valid ${issue.format}`
    case 'invalid_union':
      return 'has none of the forms that are accepted here'
    case 'invalid_key':
      return 'has a name that is not accepted here'
    default:
      return 'is not accepted here'
  }
}

function bound(origin: string, limit: string, value: number): string {
  if (origin === 'string')
    return value === 1 && limit === 'at least' ? 'not be empty' : `have ${limit} ${value} characters`
  if (origin === 'array' || origin === 'set') return `have ${limit} ${value} ${value === 1 ? 'item' : 'items'}`
  return `be ${limit} ${value}`
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isNaN(value) ? 'text' : typeof value
}

function article(type: string): string {
  if (type === 'null') return type
  const name = type === 'record' ? 'object' : type === 'int' ? 'integer' : type
  return /^[aeio]/.test(name) ? `an ${name}` : `a ${name}`
}
