import { expect, test } from 'vitest'
import { duration, exactTime, relativeTime } from './time.ts'

const NOW = Date.parse('2026-03-12T12:00:00Z')
const seconds = (count: number) => count * 1000
const minutes = (count: number) => seconds(60 * count)
const hours = (count: number) => minutes(60 * count)
const days = (count: number) => hours(24 * count)

test.each([
  [0, 'just now'],
  [seconds(44), 'just now'],
  [seconds(46), '1 min ago'],
  [minutes(3), '3 min ago'],
  [minutes(59), '59 min ago'],
  [minutes(60), '1 h ago'],
  [hours(23), '23 h ago'],
  [hours(24), '1 d ago'],
  [days(6), '6 d ago'],
  [days(7), '5 Mar'],
  [days(100), '2 Dec 2025'],
  [-seconds(20), 'in a moment'],
  [-minutes(5), 'in 5 min'],
  [-hours(2), 'in 2 h'],
])('%i ms before now reads as "%s"', (before, words) => {
  expect(relativeTime(NOW - before, NOW)).toBe(words)
})

test('an exact time has its zone and its seconds', () => {
  expect(exactTime(NOW, 'UTC')).toBe('12 Mar 2026, 12:00:00 UTC')
})

test.each([
  [0, '0 ms'],
  [839.6, '840 ms'],
  [2400, '2.4 s'],
  [59_940, '59.9 s'],
  [60_000, '1 min'],
  [72_000, '1 min 12 s'],
])('%d ms is told as "%s"', (ms, words) => {
  expect(duration(ms)).toBe(words)
})
