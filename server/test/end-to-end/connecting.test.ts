import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPerson } from '../../../examples/demo/person.ts'
import { startEmulatedGateway } from '../gateway.ts'

let gateway: Awaited<ReturnType<typeof startEmulatedGateway>>
beforeAll(async () => {
  gateway = await startEmulatedGateway()
})
afterAll(() => gateway.stop())

test('a user connects Gmail, and the connection names the account and its permissions', async () => {
  const { client } = gateway
  const started = await client.connect({ user_id: 'u1', provider: 'gmail' })

  const page = await newPerson().visit(started.auth_url, 'ada@example.com')

  expect(page.status).toBe(200)
  const connection = await client.connections.get(started.connection_id, { user_id: 'u1' })
  expect(connection).toMatchObject({ status: 'active', is_default: true, account: { email: 'ada@example.com' } })
  expect(connection.permissions.map(({ effect }) => effect)).not.toContain('write')
})

test('a connection is called what its start asked for, or else what the account is called', async () => {
  const { client } = gateway
  const named = await client.connect({ user_id: 'u2', provider: 'gmail', label: 'Work mail' })
  const plain = await client.connect({ user_id: 'u3', provider: 'gmail' })

  await newPerson().visit(named.auth_url, 'ada@example.com')
  await newPerson().visit(plain.auth_url, 'ada@example.com')

  expect((await client.connections.get(named.connection_id, { user_id: 'u2' })).label).toBe('Work mail')
  expect((await client.connections.get(plain.connection_id, { user_id: 'u3' })).label).toBe('ada@example.com')
})
