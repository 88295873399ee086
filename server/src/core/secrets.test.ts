import { expect, test } from 'vitest'
import { newEventId, newId, newSecret, secretHash } from './secrets.ts'

test('secrets hold 256 random bits behind their prefix, ids 128, and none comes twice', () => {
  const secrets = Array.from({ length: 1_000 }, () => newSecret('pb_admin_'))

  expect(new Set(secrets).size).toBe(1_000)
  expect(Buffer.from((secrets[0] as string).slice('pb_admin_'.length), 'base64url')).toHaveLength(32)
  expect(secrets[0]).toMatch(/^pb_admin_[\w-]{43}$/)
  expect(newId('conn_')).toMatch(/^conn_[0-9a-f]{32}$/)
  expect(newId('conn_')).not.toBe(newId('conn_'))
})

test('a secret is stored as its SHA-256', () => {
  expect(secretHash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('event ids are UUIDs of version 7 that carry the time', () => {
  const at = Date.UTC(2090, 0, 1)
  const id = newEventId(at)

  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at)
})

test('event ids sort by the order of making, within a millisecond and when the clock goes back', () => {
  const at = Date.UTC(2091, 0, 1)
  const ids = Array.from({ length: 20_000 }, (_, index) => newEventId(index < 15_000 ? at : at - 60_000))

  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
  expect(newEventId(at + 60_000) > (ids.at(-1) as string)).toBe(true)
})
