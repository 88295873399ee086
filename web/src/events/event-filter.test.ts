import { expect, test } from 'vitest'
import { eventFilterOf, eventQueryOf, eventTitle } from './event-filter.ts'

test('the address is read without what it cannot mean', () => {
  const search = { type: 'tool.called', outcome: 'fine', user: 42, connector: '', tool: ['x'], other: 'y' }
  expect(eventFilterOf(search)).toEqual({ type: 'tool.called', user: '42' })
})

test('one type asks for itself, a group for all of its types', () => {
  expect(eventQueryOf({ type: 'tool.called', user: 'ann' })).toEqual({ types: ['tool.called'], user_id: 'ann' })
  expect(eventQueryOf({ type: 'tool' })).toEqual({ types: ['tool.called', 'tool.refused'] })
  expect(eventQueryOf({ event: 'e1' })).toEqual({})
})

test.each([
  ['connection.refresh_failed', 'Connection refresh failed'],
  ['oauth_app.saved', 'OAuth app saved'],
  ['api_key.revoked', 'API key revoked'],
])('%s is titled "%s"', (type, title) => {
  expect(eventTitle(type)).toBe(title)
})
