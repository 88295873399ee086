import { expect, test } from 'vitest'
import { createInFlight } from './limits.ts'

test('a key takes as many calls at once as its limit, others are not concerned, and each that ends makes room', async () => {
  const inFlight = createInFlight()
  const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  const run = (key: string, call: () => Promise<string>) => inFlight.run(key, 2, 'User "ann"', call)
  const [first, second] = ends.map((end) => run('ann', () => end.promise))

  await expect(run('ann', async () => 'third')).rejects.toMatchObject({
    code: 'rate_limited',
    message: 'User "ann" already has 2 calls under way. Wait for some to end.',
    retryAfter: 1,
    retryable: true,
  })
  await expect(run('bob', async () => 'his')).resolves.toBe('his')

  ends[0]?.reject(new Error('failed'))
  await expect(first).rejects.toThrow('failed')
  await expect(run('ann', async () => 'third')).resolves.toBe('third')
  ends[1]?.resolve('second')
  await expect(second).resolves.toBe('second')
})

test('a call that throws before it begins gives its place back', async () => {
  const inFlight = createInFlight()
  const broken = () => {
    throw new Error('at once')
  }

  for (let round = 0; round < 3; round++) await expect(inFlight.run('ann', 1, 'Ann', broken)).rejects.toThrow('at once')
})
