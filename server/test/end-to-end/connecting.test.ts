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
