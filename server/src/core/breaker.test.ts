import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Breaker, createBreaker } from './breaker.ts'

const down = new Error('down')
const refused = new Error('refused')
let breaker: Breaker
let calls: number

beforeEach(() => {
  vi.useFakeTimers()
  breaker = createBreaker((error) => error === down)
  calls = 0
})
afterEach(() => vi.useRealTimers())

const call = (key: string, error?: Error) =>
  breaker.run(key, async () => {
    calls++
    if (error) throw error
    return 'done'
  })
const fail = async (key: string, times: number, error = down) => {
  for (let n = 0; n < times; n++) await expect(call(key, error)).rejects.toBe(error)
}

test('eight failures in a row let an address rest; others go on', async () => {
  await fail('a', 8)

  expect(breaker.restingFor('a')).toBe(10)
  expect(breaker.restingFor('b')).toBeUndefined()
  await expect(call('a')).rejects.toMatchObject({ code: 'provider_unavailable', retryAfter: 10, retryable: true })
  expect(calls).toBe(8)
  expect(await call('b')).toBe('done')
})

test('a success in between, or a failure that is not the address’s own, opens nothing', async () => {
  await fail('a', 7)
  await call('a')
  await fail('a', 7)
  await fail('b', 50, refused)

  expect(breaker.restingFor('a')).toBeUndefined()
  expect(breaker.restingFor('b')).toBeUndefined()
})

test('after its rest one call tries; it heals, or rests again', async () => {
  await fail('a', 8)
  vi.advanceTimersByTime(9_999)
  expect(breaker.restingFor('a')).toBe(1)
  vi.advanceTimersByTime(2)
  expect(breaker.restingFor('a')).toBeUndefined()

  await fail('a', 1)
  expect(breaker.restingFor('a')).toBe(10)

  vi.advanceTimersByTime(10_001)
  expect(await call('a')).toBe('done')
  await fail('a', 7)
  expect(breaker.restingFor('a')).toBeUndefined()
})

test('while the first call after a rest is out, the others wait for what it shows', async () => {
  await fail('a', 8)
  vi.advanceTimersByTime(10_001)
  const first = Promise.withResolvers<string>()
  const trying = breaker.run('a', () => first.promise)
  const waiting = Array.from({ length: 5 }, () => call('a'))
  await Promise.resolve()
  expect(calls).toBe(8)

  first.resolve('back')

  expect(await trying).toBe('back')
  expect(await Promise.all(waiting)).toEqual(Array(5).fill('done'))
})

test('remembers a bounded number of addresses', async () => {
  await fail('first', 8)
  for (let n = 0; n < 2_000; n++) await call(`address ${n}`)

  expect(breaker.restingFor('first')).toBeUndefined()
})
