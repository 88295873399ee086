import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Tool } from './connector.ts'
import { checkedInput, nearest } from './inputs.ts'

const tool: Tool<any> = {
  title: 'Send',
  description: 'Sends.',
  effect: 'write',
  scopes: [],
  input: z.object({
    recipient_email: z.email(),
    subject: z.string().max(10).optional(),
    count: z.number().int().min(1).default(3),
    kind: z.enum(['plain', 'html']).optional(),
    when: z.union([z.string(), z.number()]).optional(),
    note: z.string().nullable().optional(),
    attachments: z.array(z.strictObject({ name: z.string() })).optional(),
  }),
  paramAliases: { to: 'recipient_email', title: 'subject' },
  run: 'POST /send',
}
const to = { recipient_email: 'ann@example.com' }

test.each([
  [{ ...to }, { ...to, count: 3 }],
  [{ to: 'ann@example.com' }, { ...to, count: 3 }],
  [
    { ...to, to: 'bob@example.com' },
    { ...to, count: 3 },
  ],
  [
    { to: 'bob@example.com', ...to },
    { ...to, count: 3 },
  ],
  [
    { ...to, subject: null, count: null, kind: null, title: null },
    { ...to, count: 3 },
  ],
  [
    { ...to, subject: undefined },
    { ...to, count: 3 },
  ],
  [
    { ...to, note: null },
    { ...to, note: null, count: 3 },
  ],
  [
    { ...to, subject: null, title: 'Hi' },
    { ...to, subject: 'Hi', count: 3 },
  ],
])('%j is understood as %j', (given, expected) => {
  expect(checkedInput('SEND', tool, given)).toEqual(expected)
})

test.each<[Record<string, unknown>, string]>([
  [{}, 'SEND: "recipient_email" is required: expected string.'],
  [{ recipient_email: null }, 'SEND: "recipient_email" is required: expected string.'],
  [{ to: 5 }, 'SEND: "recipient_email" invalid input: expected string, received number.'],
  [{ to: 'ann' }, 'SEND: "recipient_email" invalid email address.'],
  [{ ...to, subject: 'much too long' }, 'SEND: "subject" too big: expected string to have <=10 characters.'],
  [{ ...to, count: 0 }, 'SEND: "count" too small: expected number to be >=1.'],
  [{ ...to, count: '3' }, 'SEND: "count" invalid input: expected number, received string.'],
  [{ ...to, kind: 'rtf' }, 'SEND: "kind" invalid option: expected one of "plain"|"html".'],
  [{ ...to, when: true }, 'SEND: "when" must be string or number.'],
  [{ ...to, attachments: [{}] }, 'SEND: "attachments.0.name" is required: expected string.'],
  [{ ...to, attachments: [{ name: 'a', size: 1 }] }, 'SEND: "attachments.0" has no field "size".'],
  [{ ...to, subjct: 'Hi' }, 'SEND: has no field "subjct", did you mean "subject"?.'],
  [
    { ...to, colour: 'red' },
    'SEND: has no field "colour" (its fields: recipient_email, subject, count, kind, when, note, attachments).',
  ],
  [
    { count: 'x' },
    'SEND: "recipient_email" is required: expected string; "count" invalid input: expected number, received string.',
  ],
])('%j is refused: %s', (given, message) => {
  expect(() => checkedInput('SEND', tool, given)).toThrow(
    expect.objectContaining({ code: 'invalid_input', message, details: expect.objectContaining({ tool: 'SEND' }) }),
  )
})

test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
  'a field called %s is unknown like any other, whatever it holds',
  (name) => {
    for (const value of ['null', '"x"', '{"recipient_email":"eve@example.com"}']) {
      const given = JSON.parse(`{"recipient_email":"ann@example.com",${JSON.stringify(name)}:${value}}`)

      expect(() => checkedInput('SEND', tool, given)).toThrow(
        expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(`has no field "${name}"`) }),
      )
    }
    const inherited = JSON.parse('{"__proto__":{"recipient_email":"eve@example.com"}}')
    expect(() => checkedInput('SEND', tool, inherited)).toThrow(/"recipient_email" is required/)
  },
)

describe('however much is wrong, what is said stays short', () => {
  test.each([
    ['fields', { ...to, ...Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`unknown_${i}`, i])) }],
    ['entries', { ...to, attachments: Array.from({ length: 10_000 }, () => 5) }],
    ['names', { ...to, ['x'.repeat(1_000_000)]: 1 }],
  ])('%s without end', (_, given) => {
    const started = performance.now()
    let message = ''
    try {
      checkedInput('SEND', tool, given)
    } catch (error) {
      message = (error as Error).message
    }

    expect(message).toMatch(/^SEND: /)
    expect(message.length).toBeLessThan(10_000)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

test.each([
  ['GMAIL_SEND_MAIL', 'GMAIL_SEND_EMAIL'],
  ['gmail_send_email', 'GMAIL_SEND_EMAIL'],
  ['GMAL_GET', 'GMAIL_GET'],
  ['SOMETHING_ELSE_ENTIRELY', undefined],
  ['', undefined],
])('nearest to %j is %j', (typed, found) => {
  expect(nearest(typed, ['GMAIL_SEND_EMAIL', 'GMAIL_GET', 'SLACK_SEND_MESSAGE'])).toBe(found)
})
