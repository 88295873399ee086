import type { ChoiceField, FormField, JsonField, ListField, NumberField, ObjectField, TextField } from './form-model.ts'

/** What has been typed so far: text for texts, numbers, choices (as JSON) and JSON; undefined for nothing. */
export type Draft = string | boolean | undefined | readonly Draft[] | { readonly [name: string]: Draft }

export interface ReadDraft {
  value: Record<string, unknown>
  /** Dotted path of a field → what is wrong with it. */
  problems: Record<string, string>
}

/** The draft that shows this value; the schema's defaults where it says nothing. */
export function draftOf(field: FormField, value: unknown): Draft {
  const shown = value === undefined ? field.initial : value
  switch (field.kind) {
    case 'object': {
      const given = isObject(shown) ? shown : {}
      return Object.fromEntries(field.fields.map((inner) => [inner.name, draftOf(inner, given[inner.name])]))
    }
    case 'list':
      return Array.isArray(shown) ? shown.map((one) => draftOf(field.item, one)) : []
    case 'boolean':
      return typeof shown === 'boolean' ? shown : undefined
    case 'choice':
      return shown === undefined || shown === null ? '' : JSON.stringify(shown)
    case 'json':
      return shown === undefined ? '' : JSON.stringify(shown, null, 2)
    default:
      return shown === undefined || shown === null ? '' : String(shown)
  }
}

/** The value a draft stands for, without what was left empty, and what is wrong with it. */
export function readDraft(model: ObjectField, draft: Draft): ReadDraft {
  const problems: Record<string, string> = {}
  const value = readField(model, draft, '', problems)
  return { value: isObject(value) ? value : {}, problems }
}

function readField(field: FormField, draft: Draft, path: string, problems: Record<string, string>): unknown {
  switch (field.kind) {
    case 'object':
      return readObject(field, draft, path, problems)
    case 'list':
      return readList(field, draft, path, problems)
    case 'boolean':
      if (typeof draft === 'boolean') return draft
      // An untouched switch that must be there is off.
      return field.required ? false : undefined
    default: {
      const text = typeof draft === 'string' ? draft : ''
      if (text === '') {
        if (field.required) problems[path] = 'This is required.'
        return undefined
      }
      return readText(field, text, path, problems)
    }
  }
}

function readText(
  field: TextField | NumberField | ChoiceField | JsonField,
  text: string,
  path: string,
  problems: Record<string, string>,
): unknown {
  if (field.kind === 'choice') return JSON.parse(text)
  if (field.kind === 'json') {
    try {
      return JSON.parse(text)
    } catch (error) {
      problems[path] = `This is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}.`
      return undefined
    }
  }
  if (field.kind === 'number') {
    const number = Number(text)
    const problem = numberProblem(field, text, number)
    if (problem) problems[path] = problem
    return number
  }
  const problem = textProblem(field, text)
  if (problem) problems[path] = problem
  return text
}

function numberProblem(field: NumberField, text: string, number: number): string | undefined {
  if (text.trim() === '' || !Number.isFinite(number)) return 'This must be a number.'
  if (field.integer && !Number.isInteger(number)) return 'This must be a whole number.'
  if (field.min !== undefined && number < field.min) return `This must be at least ${field.min}.`
  if (field.max !== undefined && number > field.max) return `This must be at most ${field.max}.`
  if (field.above !== undefined && number <= field.above) return `This must be more than ${field.above}.`
  if (field.below !== undefined && number >= field.below) return `This must be less than ${field.below}.`
  return undefined
}

function textProblem(field: TextField, text: string): string | undefined {
  const length = [...text].length
  if (field.minLength !== undefined && length < field.minLength)
    return `This needs at least ${field.minLength} characters.`
  if (field.maxLength !== undefined && length > field.maxLength)
    return `This may have at most ${field.maxLength} characters, not ${length}.`
  if (field.pattern !== undefined && !fits(field.pattern, text)) return 'This does not have the form that is asked for.'
  return undefined
}

function readList(field: ListField, draft: Draft, path: string, problems: Record<string, string>): unknown {
  const drafts = Array.isArray(draft) ? (draft as readonly Draft[]) : []
  const values: unknown[] = []
  for (const [index, one] of drafts.entries()) {
    if (field.item.kind !== 'object' && (one === '' || one === undefined)) continue
    values.push(readField(field.item, one, joined(path, String(index)), problems))
  }
  if (values.length === 0) {
    if (field.required && (field.minItems ?? 1) > 0) problems[path] = 'Add at least one.'
    return field.required ? [] : undefined
  }
  if (field.minItems !== undefined && values.length < field.minItems)
    problems[path] = `This needs at least ${field.minItems} entries.`
  if (field.maxItems !== undefined && values.length > field.maxItems)
    problems[path] = `This may have at most ${field.maxItems} entries.`
  return values
}

function readObject(field: ObjectField, draft: Draft, path: string, problems: Record<string, string>): unknown {
  const drafts = isDraftObject(draft) ? draft : {}
  if (!field.required && path !== '' && isUntouched(field, drafts)) return undefined
  const value: Record<string, unknown> = {}
  for (const inner of field.fields) {
    const one = readField(inner, drafts[inner.name], joined(path, inner.name), problems)
    if (one !== undefined) value[inner.name] = one
  }
  return value
}

/** Nothing in it was set beyond the schema's own defaults. */
function isUntouched(field: FormField, draft: Draft): boolean {
  return same(draft ?? draftOf(field, undefined), draftOf(field, undefined))
}

export function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    // A pattern this engine does not read is for the gateway to judge.
    return true
  }
}

function isDraftObject(draft: Draft): draft is { readonly [name: string]: Draft } {
  return isObject(draft)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
