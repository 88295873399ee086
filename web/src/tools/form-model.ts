/** A JSON Schema as a form: what to draw, and what it was told so that a draft can be checked before it is sent. */
export type FormField = TextField | NumberField | BooleanField | ChoiceField | ListField | ObjectField | JsonField

interface Described {
  /** Property name; empty for the root and for list items. */
  name: string
  label: string
  description: string | undefined
  required: boolean
  /** As in the schema; undefined when it names none. */
  initial: unknown
}
export interface TextField extends Described {
  kind: 'text'
  multiline: boolean
  inputType: 'text' | 'email' | 'url'
  minLength: number | undefined
  maxLength: number | undefined
  pattern: string | undefined
}
export interface NumberField extends Described {
  kind: 'number'
  integer: boolean
  min: number | undefined
  max: number | undefined
  /** The bound itself is not allowed. */
  above: number | undefined
  below: number | undefined
}
export interface BooleanField extends Described {
  kind: 'boolean'
}
export interface ChoiceField extends Described {
  kind: 'choice'
  options: readonly unknown[]
}
export interface ListField extends Described {
  kind: 'list'
  item: FormField
  minItems: number | undefined
  maxItems: number | undefined
}
export interface ObjectField extends Described {
  kind: 'object'
  fields: readonly FormField[]
}
/** What no control fits: written as JSON. */
export interface JsonField extends Described {
  kind: 'json'
}

/** What has been typed so far: text for texts, numbers, choices (as JSON) and JSON; undefined for nothing. */
export type Draft = string | boolean | undefined | readonly Draft[] | { readonly [name: string]: Draft }

export interface ReadDraft {
  value: Record<string, unknown>
  /** Dotted path of a field → what is wrong with it. */
  problems: Record<string, string>
}

type Schema = Record<string, unknown>
/** Deeper than this is JSON: a schema may refer to itself. */
const MAX_DEPTH = 4

/** The form of an object schema. What is not an object is a form without fields. */
export function formModel(schema: Schema): ObjectField {
  const field = fieldOf('', schema, true, schema, 0)
  return field.kind === 'object' ? field : { ...described('', {}, true), kind: 'object', fields: [] }
}

function fieldOf(name: string, given: Schema, required: boolean, root: Schema, depth: number): FormField {
  const schema = simplified(given, root)
  const base = described(name, { ...schema, ...pick(given, ['title', 'description', 'default']) }, required)
  const type = typeOf(schema)

  if (Array.isArray(schema['enum']))
    return { ...base, kind: 'choice', options: schema['enum'].filter((one) => one !== null) }
  if ('const' in schema) return { ...base, kind: 'choice', options: [schema['const']] }
  if (type === 'string') return textField(base, schema)
  if (type === 'number' || type === 'integer') {
    return {
      ...base,
      kind: 'number',
      integer: type === 'integer',
      min: numberAt(schema, 'minimum'),
      max: numberAt(schema, 'maximum'),
      above: numberAt(schema, 'exclusiveMinimum'),
      below: numberAt(schema, 'exclusiveMaximum'),
    }
  }
  if (type === 'boolean') return { ...base, kind: 'boolean' }
  if (depth < MAX_DEPTH && type === 'array' && isSchema(schema['items'])) {
    const item = fieldOf('', schema['items'], true, root, depth + 1)
    if (item.kind !== 'json' && item.kind !== 'list') {
      return {
        ...base,
        kind: 'list',
        item,
        minItems: numberAt(schema, 'minItems'),
        maxItems: numberAt(schema, 'maxItems'),
      }
    }
  }
  if (depth < MAX_DEPTH && type === 'object' && isSchema(schema['properties'])) {
    const needed = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
    const fields = Object.entries(schema['properties'])
      .filter((entry): entry is [string, Schema] => isSchema(entry[1]))
      .map(([property, inner]) => fieldOf(property, inner, needed.has(property), root, depth + 1))
    return { ...base, kind: 'object', fields }
  }
  return { ...base, kind: 'json' }
}

function textField(base: Described, schema: Schema): TextField {
  const maxLength = numberAt(schema, 'maxLength')
  const format = schema['format']
  const long = /(^|_)(body|text|markdown|html|content|message|description|comment|notes?)$/.test(base.name)
  return {
    ...base,
    kind: 'text',
    multiline: long && (maxLength === undefined || maxLength > 300),
    inputType: format === 'email' ? 'email' : format === 'uri' ? 'url' : 'text',
    minLength: numberAt(schema, 'minLength'),
    maxLength,
    pattern: typeof schema['pattern'] === 'string' ? schema['pattern'] : undefined,
  }
}

/** References followed, `null` alternatives dropped, and of "one or a list of them" the list taken. */
function simplified(schema: Schema, root: Schema): Schema {
  const target = refTarget(schema, root)
  if (target) return simplified({ ...target, ...pick(schema, ['description', 'title', 'default']) }, root)
  const alternatives = [schema['anyOf'], schema['oneOf']].find(Array.isArray)?.filter(isSchema)
  if (!alternatives) return schema
  const real = alternatives.filter((one) => one['type'] !== 'null')
  if (real.length === 1 && real[0]) return simplified(real[0], root)
  const scalars = real.map((one) => ('const' in one ? one['const'] : undefined))
  if (scalars.every((one) => one !== undefined)) return { enum: scalars }
  const list = real.find((one) => one['type'] === 'array')
  const rest = real.filter((one) => one !== list)
  if (list && rest.every((one) => same(one, list['items']))) return list
  return {}
}

function refTarget(schema: Schema, root: Schema): Schema | undefined {
  const ref = schema['$ref']
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return undefined
  let at: unknown = root
  for (const step of ref.slice(2).split('/'))
    at = isSchema(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  return isSchema(at) ? at : undefined
}

/** The first type that a control can be drawn for; text wins over what could be typed into it. */
function typeOf(schema: Schema): string | undefined {
  const type = schema['type']
  if (typeof type === 'string') return type
  if (!Array.isArray(type)) return isSchema(schema['properties']) ? 'object' : undefined
  const real = type.filter((one) => one !== 'null')
  return real.includes('string') ? 'string' : real.length === 1 ? real[0] : undefined
}

function described(name: string, schema: Schema, required: boolean): Described {
  return {
    name,
    label: typeof schema['title'] === 'string' && schema['title'] !== '' ? schema['title'] : inWords(name),
    description: typeof schema['description'] === 'string' ? schema['description'] : undefined,
    required,
    initial: schema['default'],
  }
}

/** `recipient_email` and `recipientEmail` as "Recipient email". */
export function inWords(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
    .replace(/\b(id|ids|url|urls|html|cc|bcc|sha|api|json|ts)\b/g, (word) => ABBREVIATIONS[word] ?? word)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const ABBREVIATIONS: Record<string, string> = {
  id: 'ID',
  ids: 'IDs',
  url: 'URL',
  urls: 'URLs',
  html: 'HTML',
  cc: 'Cc',
  bcc: 'Bcc',
  sha: 'SHA',
  api: 'API',
  json: 'JSON',
}

/** The draft that shows this value; the schema's defaults where it says nothing. */
export function draftOf(field: FormField, value: unknown): Draft {
  const shown = value === undefined ? field.initial : value
  switch (field.kind) {
    case 'object': {
      const given = isSchema(shown) ? shown : {}
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
  return { value: isSchema(value) ? value : {}, problems }
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

/** How many fields of a form stay in sight: what is required, and the first few others. */
export function splitFields(field: ObjectField, optionalInSight = 4): { shown: FormField[]; folded: FormField[] } {
  const required = field.fields.filter((one) => one.required)
  const optional = field.fields.filter((one) => !one.required)
  const room = Math.max(0, optionalInSight - required.length)
  if (optional.length <= room + 1) return { shown: [...required, ...optional], folded: [] }
  return { shown: [...required, ...optional.slice(0, room)], folded: optional.slice(room) }
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

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDraftObject(draft: Draft): draft is { readonly [name: string]: Draft } {
  return isSchema(draft)
}

function numberAt(schema: Schema, key: string): number | undefined {
  const value = schema[key]
  return typeof value === 'number' ? value : undefined
}

function pick(schema: Schema, keys: readonly string[]): Schema {
  return Object.fromEntries(keys.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]))
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
