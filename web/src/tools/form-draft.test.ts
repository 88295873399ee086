import { expect, test } from 'vitest'
import { type Draft, draftOf, readDraft } from './form-draft.ts'
import { formModel } from './form-model.ts'

const object = (properties: Record<string, unknown>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
})

test('defaults are in the first draft, and what is left empty is not sent', () => {
  const model = formModel(
    object({
      query: { type: 'string' },
      limit: { type: 'integer', default: 10 },
      deep: { type: 'boolean', default: true },
      format: { enum: ['full', 'short'], default: 'full' },
      labels: { type: 'array', items: { type: 'string' } },
      exact: { type: 'boolean' },
    }),
  )
  const draft = draftOf(model, undefined)

  expect(draft).toEqual({ query: '', limit: '10', deep: true, format: '"full"', labels: [], exact: undefined })
  expect(readDraft(model, draft)).toEqual({ value: { limit: 10, deep: true, format: 'full' }, problems: {} })
})

test('a value comes back from its draft unchanged', () => {
  const model = formModel(
    object({
      to: { type: 'string' },
      count: { type: 'number' },
      sure: { type: 'boolean' },
      level: { enum: [1, 'two', false] },
      tags: { type: 'array', items: { type: 'string' } },
      files: { type: 'array', items: object({ name: { type: 'string' } }, ['name']) },
      extra: {},
      place: object({ city: { type: 'string' } }),
    }),
  )
  const value = {
    to: 'ann@example.com',
    count: -1.5,
    sure: false,
    level: 1,
    tags: ['a', 'b'],
    files: [{ name: 'x' }],
    extra: { any: [1, null] },
    place: { city: 'Graz' },
  }
  expect(readDraft(model, draftOf(model, value))).toEqual({ value, problems: {} })
})

test('an optional group that was not touched asks for nothing, a started one for all it needs', () => {
  const file = object(
    { name: { type: 'string' }, content: { type: 'string' }, kind: { type: 'string', default: 'text/plain' } },
    ['name', 'content'],
  )
  const model = formModel(object({ file }))

  expect(readDraft(model, draftOf(model, undefined))).toEqual({ value: {}, problems: {} })
  expect(readDraft(model, { file: { name: 'a.txt', content: '', kind: 'text/plain' } }).problems).toEqual({
    'file.content': 'This is required.',
  })
})

test.each<[unknown, Draft, string]>([
  [{ type: 'integer' }, '1.5', 'This must be a whole number.'],
  [{ type: 'number' }, 'many', 'This must be a number.'],
  [{ type: 'number' }, ' ', 'This must be a number.'],
  [{ type: 'number', minimum: 1 }, '0', 'This must be at least 1.'],
  [{ type: 'number', maximum: 5 }, '6', 'This must be at most 5.'],
  [{ type: 'number', exclusiveMinimum: 0 }, '0', 'This must be more than 0.'],
  [{ type: 'string', minLength: 3 }, 'ab', 'This needs at least 3 characters.'],
  [{ type: 'string', maxLength: 1 }, '👍👍', 'This may have at most 1 characters, not 2.'],
  [{ type: 'string', pattern: '^[a-z]+$' }, 'A', 'This does not have the form that is asked for.'],
  [{ type: 'array', items: { type: 'string' }, maxItems: 1 }, ['a', 'b'], 'This may have at most 1 entries.'],
])('%j refuses %j: %s', (schema, draft, problem) => {
  const model = formModel(object({ field: schema }))
  expect(readDraft(model, { field: draft }).problems).toEqual({ field: problem })
})

test('broken JSON is refused with the reason, an unreadable pattern is left to the gateway', () => {
  const model = formModel(object({ any: {}, odd: { type: 'string', pattern: '(?<' } }))
  const { problems, value } = readDraft(model, { any: '{"a":', odd: 'x' })

  expect(problems['any']).toMatch(/^This is not JSON: /)
  expect(value).toEqual({ odd: 'x' })
})

test('empty list entries are dropped; problems name the entry as typed', () => {
  const model = formModel(object({ sizes: { type: 'array', items: { type: 'integer' } } }))

  expect(readDraft(model, { sizes: ['', '2', 'x'] })).toMatchObject({
    problems: { 'sizes.2': 'This must be a number.' },
  })
  expect(readDraft(model, { sizes: ['', '2'] }).value).toEqual({ sizes: [2] })
})

test('required lists and texts must be there; a required switch that was not touched is off', () => {
  const model = formModel(
    object({ to: { type: 'array', items: { type: 'string' } }, body: { type: 'string' }, sure: { type: 'boolean' } }, [
      'to',
      'body',
      'sure',
    ]),
  )
  expect(readDraft(model, draftOf(model, undefined))).toEqual({
    value: { to: [], sure: false },
    problems: { to: 'Add at least one.', body: 'This is required.' },
  })
})
