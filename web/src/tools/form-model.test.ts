import { expect, test } from 'vitest'
import { formModel, splitFields } from './form-model.ts'

const object = (properties: Record<string, unknown>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
})
const kindOf = (schema: unknown) => formModel(object({ field: schema })).fields[0]?.kind
const fieldOf = (schema: unknown) => formModel(object({ field: schema })).fields[0]

test.each([
  ['text', { type: 'string' }],
  ['text', { type: ['string', 'number'] }],
  ['text', { anyOf: [{ type: 'string' }, { type: 'null' }] }],
  ['number', { type: 'integer' }],
  ['number', { type: ['number', 'null'] }],
  ['boolean', { type: 'boolean' }],
  ['choice', { enum: ['a', 'b'] }],
  ['choice', { const: 'a' }],
  ['choice', { anyOf: [{ const: 'a' }, { const: 'b' }] }],
  ['list', { type: 'array', items: { type: 'string' } }],
  ['list', { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } }],
  ['list', { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }],
  ['object', { type: 'object', properties: { a: { type: 'string' } } }],
  ['json', { type: 'object', additionalProperties: {} }],
  ['json', { type: 'array', items: { type: 'array', items: { type: 'string' } } }],
  ['json', { anyOf: [{ type: 'string' }, { type: 'integer' }] }],
  ['json', {}],
])('is drawn as %s: %j', (kind, schema) => {
  expect(kindOf(schema)).toBe(kind)
})

test('a reference is followed and keeps its own description', () => {
  const model = formModel({
    ...object({ to: { $ref: '#/$defs/address', description: 'Who gets it' } }, ['to']),
    $defs: { address: { type: 'string', format: 'email', description: 'An address' } },
  })
  expect(model.fields[0]).toMatchObject({
    kind: 'text',
    inputType: 'email',
    description: 'Who gets it',
    required: true,
  })
})

test('a schema that refers to itself ends in JSON instead of never', () => {
  const model = formModel({
    ...object({ root: { $ref: '#/$defs/node' } }),
    $defs: { node: { type: 'object', properties: { child: { $ref: '#/$defs/node' } } } },
  })
  expect(JSON.stringify(model)).toContain('"kind":"json"')
})

test('a long text gets several lines, a short one does not', () => {
  const model = formModel(
    object({ body: { type: 'string' }, message_id: { type: 'string' }, text: { type: 'string', maxLength: 80 } }),
  )
  expect(model.fields.map((field) => field.kind === 'text' && field.multiline)).toEqual([true, false, false])
})

test('required fields stay in sight, further optional ones are folded away', () => {
  const texts = (names: string) => Object.fromEntries([...names].map((name) => [name, { type: 'string' }]))
  const names = (model: ReturnType<typeof formModel>) => {
    const { shown, folded } = splitFields(model)
    return [shown, folded].map((fields) => fields.map(({ name }) => name).join(''))
  }
  expect(names(formModel(object(texts('abcdefgh'), ['g', 'h'])))).toEqual(['abgh', 'cdef'])
  expect(names(formModel(object(texts('abc'), ['a'])))).toEqual(['abc', ''])
})

test('of the optional fields, plain texts stay in sight before lists, groups and pages', () => {
  const list = { type: 'array', items: { type: 'string' } }
  const model = formModel(
    object({
      to: { type: 'string' },
      cc: list,
      bcc: list,
      page_token: { type: 'string' },
      subject: { type: 'string' },
      html: { type: 'boolean', default: false },
      body: { type: 'string' },
    }),
  )
  expect(splitFields(model).shown.map(({ name }) => name)).toEqual(['to', 'subject', 'html', 'body'])
})

test('limits of the schema reach the field', () => {
  expect(fieldOf({ type: 'string', maxLength: 9, pattern: 'x', title: 'A title' })).toMatchObject({
    maxLength: 9,
    pattern: 'x',
    label: 'A title',
  })
})
