import { expect, test } from 'vitest'
import { base64Bytes, base64Mistake } from './base64.ts'

test.each(['', 'YQ==', 'YQ', 'YWI=', '-_8=', '+/8=', 'YW\r\nJj', 'YWJj\n'])('%j is base64', (text) => {
  expect(base64Mistake(text)).toBeUndefined()
})

test.each(['a', 'YQ===', 'Y!==', 'hello world!', 'YQ==YQ=='])('%j is not', (text) => {
  expect(base64Mistake(text)).toBe('must be base64')
})

test('a data address is told apart', () => {
  expect(base64Mistake('data:text/plain;base64,YQ==')).toMatch(/without "data:/)
})

test('both alphabets give the same bytes', () => {
  expect(base64Bytes('-_8=')).toEqual(base64Bytes('+/8='))
})

test('a long wrong text is refused without long thought', () => {
  const started = performance.now()

  expect(base64Mistake(`${'a'.repeat(1_000_000)}${' '.repeat(1_000_000)}!`)).toBe('must be base64')

  expect(performance.now() - started).toBeLessThan(2_000)
})
