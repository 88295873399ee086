import { expect, test } from 'vitest'
import { rankCommands } from './rank-commands.ts'

const commands = [
  { label: 'Settings', detail: 'Page' },
  { label: 'Send an email', detail: 'GMAIL_SEND_EMAIL' },
  { label: 'Connect Gmail', detail: 'Connector' },
  { label: 'Send a message', detail: 'SLACK_SEND_MESSAGE' },
]
const labels = (query: string) => rankCommands(commands, query).map(({ label }) => label)

test('no words keep everything in its order', () => {
  expect(labels('  ')).toEqual(commands.map(({ label }) => label))
})

test('every word must fit somewhere, in any order and case', () => {
  expect(labels('GMAIL send')).toEqual(['Send an email'])
  expect(labels('gmail nothing')).toEqual([])
})

test('a label that begins with the word comes before one that only holds it', () => {
  expect(labels('se')).toEqual(['Settings', 'Send an email', 'Send a message'])
  expect(labels('gmail')).toEqual(['Connect Gmail', 'Send an email'])
})
