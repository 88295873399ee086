import type { Effect, ToolItem } from '@patchbay/sdk'
import { expect, test } from 'vitest'
import { toolGroups } from './tool-groups.ts'

const tool = (connector: string, name: string, title: string, effect: Effect) =>
  ({ connector, provider: connector, name, title, effect }) as ToolItem
const tools = [
  tool('slack', 'SLACK_SEND_MESSAGE', 'Send a message', 'write'),
  tool('gmail', 'GMAIL_TRASH', 'Move to trash', 'destructive'),
  tool('gmail', 'GMAIL_SEND_EMAIL', 'Send an email', 'write'),
  tool('gmail', 'GMAIL_FETCH_EMAILS', 'Find emails', 'read'),
]
const names = (query: string, effect: Effect | 'all' = 'all') =>
  toolGroups(tools, query, effect).map((group) => [group.connector, ...group.tools.map(({ name }) => name)])

test('tools are grouped by connector, reading before writing before destroying', () => {
  expect(names('')).toEqual([
    ['gmail', 'GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL', 'GMAIL_TRASH'],
    ['slack', 'SLACK_SEND_MESSAGE'],
  ])
})

test('every word must be in the title, the name or the connector', () => {
  expect(names('SEND email')).toEqual([['gmail', 'GMAIL_SEND_EMAIL']])
  expect(names('gmail_trash')).toEqual([['gmail', 'GMAIL_TRASH']])
  expect(names('send nothing')).toEqual([])
})

test('one effect can be looked at alone', () => {
  expect(names('', 'destructive')).toEqual([['gmail', 'GMAIL_TRASH']])
})
