import { expect, test } from 'vitest'
import type { Service } from '../../core/connector.ts'
import { call, collect, jsonArray, MAX_PAGES, unixSeconds } from './call.ts'

/** Answers each request from the list in turn, and notes what was sent. */
function answering(...answers: unknown[]) {
  const sent: { path: string; form: any; options: any }[] = []
  const post = async (path: string, form: unknown, options: unknown) => {
    sent.push({ path, form, options })
    return answers[Math.min(sent.length, answers.length) - 1]
  }
  return { service: { post } as unknown as Service, sent }
}

test('arguments travel as a form, structures as JSON, and what is undefined stays out', async () => {
  const { service, sent } = answering({ ok: true })

  await call(service, 'chat.postMessage', {
    channel: 'C1',
    blocks: [{ type: 'divider' }],
    mrkdwn: false,
    limit: 5,
    text: undefined,
  })

  expect(sent).toEqual([
    {
      path: '/chat.postMessage',
      form: { channel: 'C1', blocks: '[{"type":"divider"}]', mrkdwn: 'false', limit: '5' },
      options: { as: 'form' },
    },
  ])
})

test('a list is read over short pages until the limit, and never past it', async () => {
  const { service, sent } = answering(
    { members: ['a'], response_metadata: { next_cursor: 'p2' } },
    { members: ['b', 'c'], response_metadata: { next_cursor: 'p3' } },
  )

  const page = await collect(service, 'users.list', 'members', {}, { limit: 3, pageSize: 200 })

  expect(page).toEqual({ items: ['a', 'b', 'c'], next_cursor: 'p3' })
  expect(sent.map(({ form }) => [form.limit, form.cursor])).toEqual([
    ['3', undefined],
    ['2', 'p2'],
  ])
})

test('a list that never ends is left after the stated number of pages with its cursor', async () => {
  const { service, sent } = answering({ members: [], response_metadata: { next_cursor: 'more' } })

  const page = await collect(service, 'users.list', 'members', {}, { limit: 10, pageSize: 10 })

  expect(sent).toHaveLength(MAX_PAGES)
  expect(page).toEqual({ items: [], next_cursor: 'more' })
})

test.each([{ members: ['a'] }, { members: ['a'], response_metadata: { next_cursor: '' } }])(
  'a list ends where no cursor comes: %j',
  async (answer) => {
    const { service, sent } = answering(answer)

    const page = await collect(service, 'users.list', 'members', {}, { limit: 10, pageSize: 10 })

    expect(page).toEqual({ items: ['a'], next_cursor: null })
    expect(sent).toHaveLength(1)
  },
)

test.each<[string | number, number]>([
  [1767225600, 1767225600],
  [1767225600.9, 1767225600],
  ['1767225600', 1767225600],
  ['2026-01-01T00:00:00Z', 1767225600],
  ['2026-01-01T01:00:00+01:00', 1767225600],
])('%s is %i seconds', (value, seconds) => {
  expect(unixSeconds('post_at', value)).toBe(seconds)
})

test.each(['tomorrow', '', '2026-01-01', '2026-01-01T00:00:00'])(
  'the time %j is refused, naming the field',
  (value) => {
    expect(() => unixSeconds('post_at', value)).toThrow(/`post_at` must be Unix seconds/)
  },
)

test('blocks are taken as an array or as its JSON', () => {
  expect(jsonArray('blocks', [{ a: 1 }])).toEqual([{ a: 1 }])
  expect(jsonArray('blocks', '[{"a":1}]')).toEqual([{ a: 1 }])
  expect(jsonArray('blocks', undefined)).toBeUndefined()
  for (const wrong of ['{', '{"a":1}', '"text"'])
    expect(() => jsonArray('blocks', wrong)).toThrow(/must be a JSON array/)
})
