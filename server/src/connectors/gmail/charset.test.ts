import { expect, test } from 'vitest'
import { textOf } from './charset.ts'

test.each([
  [[0x63, 0x61, 0x66, 0xe9], 'iso-8859-1', 'café'],
  [[0x80], 'windows-1252', '€'],
  [[0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42], 'iso-2022-jp', '日本'],
  [[0xc4, 0xe3, 0xba, 0xc3], 'gb2312', '你好'],
  [[0xc3, 0xa9], 'utf-8', 'é'],
])('%j in %s reads %s', (bytes, charset, text) => {
  expect(textOf(Uint8Array.from(bytes), charset)).toBe(text)
})

test('text re-encoded to UTF-8 under its old label is still read right', () => {
  expect(textOf(Buffer.from('Grüße'), 'iso-8859-1')).toBe('Grüße')
})

test('an unknown or missing charset falls back on what the bytes allow', () => {
  expect(textOf(Buffer.from('Grüße'), 'x-none')).toBe('Grüße')
  expect(textOf(Uint8Array.from([0x63, 0x61, 0x66, 0xe9]), 'x-none')).toBe('café')
  expect(textOf(Uint8Array.from([0x63, 0x61, 0x66, 0xe9]), undefined)).toBe('café')
})
