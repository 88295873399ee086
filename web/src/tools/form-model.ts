import { inWords } from '../parts/words.ts'

/** A JSON Schema as a form: what to draw, and the limits it names. */
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

/** Plain texts without a default are what people come to fill in; lists, groups and pages are asked for. */
function weight(field: FormField): number {
  if (/(^|_)(page|cursor|page_token|per_page|offset)$/i.test(field.name)) return 4
  if (field.kind === 'text') return field.initial === undefined ? 0 : 1
  if (field.kind === 'list') return 2
  return field.kind === 'object' || field.kind === 'json' ? 3 : 1
}

/** Which fields of a form stay in sight, in the schema's order: what is required, and the few most likely others. */
export function splitFields(field: ObjectField, inSight = 4): { shown: FormField[]; folded: FormField[] } {
  const optional = field.fields.filter((one) => !one.required)
  const room = Math.max(0, inSight - (field.fields.length - optional.length))
  if (optional.length <= room + 1) return { shown: [...field.fields], folded: [] }
  const kept = new Set([...optional].sort((a, b) => weight(a) - weight(b)).slice(0, room))
  const folded = optional.filter((one) => !kept.has(one))
  return { shown: field.fields.filter((one) => !folded.includes(one)), folded }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
