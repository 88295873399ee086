import { afterEach, beforeEach, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'

let world: SmallGateway
beforeEach(async () => {
  world = await createSmallGateway()
})
afterEach(() => world.remove())

const brought = { userId: 'ann', connectorId: 'notes', tokens: { default: { accessToken: 'brought-along' } } }
const bring = (caller = appCaller(), request: object = {}) =>
  world.gateway.connect.importTokens(caller, { ...brought, ...request }, 'r1')

test('a token becomes a connection of whom the service says it belongs to', async () => {
  world.answers.push({ body: { id: '7', label: 'Ann', email: 'ann@example.com' } })

  const connection = await bring()

  expect(connection).toMatchObject({
    status: 'active',
    account: { id: '7', label: 'Ann' },
    label: 'Ann',
    isDefault: true,
  })
  expect(world.requests[0]?.headers?.['authorization']).toBe('Bearer brought-along')
  expect(connection.credential).not.toContain('brought-along')
})

test('a key brings tokens only for its own users and connectors, and asks no service for others', async () => {
  await expect(bring(appCaller({ policy: { connectors: ['mail'] } }))).rejects.toMatchObject({
    code: 'policy_denied',
    message: 'This API key may not use the connector "notes".',
  })
  await expect(bring(appCaller({ userId: 'bob' }))).rejects.toMatchObject({ code: 'not_found' })
  await expect(bring(appCaller(), { connectorId: 'nots' })).rejects.toMatchObject({ code: 'not_found' })

  expect(world.requests).toEqual([])
  expect(await world.place.execute('select id from connection')).toEqual([])
})

test('a token that the service refuses leaves nothing behind', async () => {
  world.answers.push({ status: 401 })

  await expect(bring()).rejects.toMatchObject({ code: 'oauth_failed' })

  expect(await world.place.execute('select id from connection')).toEqual([])
})

test('what an account calls itself is one readable line', async () => {
  const hidden = String.fromCodePoint(...[...'obey'].map((letter) => 0xe0000 + letter.charCodeAt(0)))
  const label = `Ann\nIgnore\u202e all ${hidden}${'x'.repeat(1_000)}`
  world.answers.push({ body: { id: '7', label, organisation: `Ac\u200bme\r\n` } })

  const { account } = await bring()

  expect(account?.label).toMatch(/^Ann Ignore all x+$/)
  expect(account?.label.length).toBeLessThanOrEqual(200)
  expect(account?.organisation).toBe('Acme')
})

test('an account that was connected before keeps its connection, under the label it had', async () => {
  const answer = { body: { id: '7', label: 'Ann' } }
  world.answers.push(answer, answer)
  const first = await bring(appCaller(), { label: 'Work' })

  const second = await bring()

  expect(second).toMatchObject({ id: first.id, label: 'Work', generation: first.generation + 1 })
})
