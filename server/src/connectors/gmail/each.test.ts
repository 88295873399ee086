import { expect, test } from 'vitest'
import { directService } from '../../../test/contract/direct-service.ts'
import { PatchbayError } from '../../core/errors.ts'
import { each } from './each.ts'

const service = directService({ base: 'https://gmail.test', token: 'none' })
const ids = Array.from({ length: 30 }, (_, index) => `m${index}`)

test('items are asked for eight at a time and stay in order', async () => {
  let underWay = 0
  let most = 0
  const found = await each(service, ids, async (id) => {
    underWay++
    most = Math.max(most, underWay)
    // Later items finish first.
    for (let turns = 30 - Number(id.slice(1)); turns > 0; turns--) await Promise.resolve()
    underWay--
    return id
  })

  expect(found).toEqual(ids)
  expect(most).toBe(8)
})

test('an item that fails stands in its place', async () => {
  const found = await each(service, ['a', 'b', 'c'], async (id) => {
    if (id === 'b') throw new PatchbayError('provider_rejected', 'Not found.', { providerStatus: 404 })
    return { id }
  })

  expect(found).toEqual([
    { id: 'a' },
    { id: 'b', error: { code: 'provider_rejected', message: 'Not found.', retryable: false } },
    { id: 'c' },
  ])
})

test('when every item fails the call fails', async () => {
  const failing = each(service, ['a', 'b'], async (id) => {
    throw new PatchbayError('rate_limited', `Too fast at ${id}.`)
  })

  await expect(failing).rejects.toMatchObject({ code: 'rate_limited', message: 'Too fast at a.' })
})

test('a dead connection ends the call at once', async () => {
  let asked = 0
  const failing = each(service, ids, async (id) => {
    asked++
    if (id === 'm3') throw new PatchbayError('needs_reauth', 'Gone.')
    return id
  })

  await expect(failing).rejects.toMatchObject({ code: 'needs_reauth' })
  expect(asked).toBeLessThan(ids.length)
})

test('a caller that goes away ends the call before the next item', async () => {
  const caller = new AbortController()
  const leaving = directService({ base: 'https://gmail.test', token: 'none', signal: caller.signal })
  let asked = 0
  const failing = each(leaving, ids, async (id) => {
    asked++
    caller.abort()
    return id
  })

  await expect(failing).rejects.toMatchObject({ code: 'cancelled' })
  expect(asked).toBeLessThanOrEqual(8)
})

test('no items are no requests', async () => {
  expect(await each(service, [], async () => expect.unreachable())).toEqual([])
})
