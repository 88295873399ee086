import { expect, test } from 'vitest'
import { decodedWords } from './encoded-words.ts'

test.each([
  ['plain', 'plain'],
  ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus?= Bonn', 'Grüße aus Bonn'],
  ['=?utf-8?b?5L2g5aW9?=', '你好'],
  ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
  ['=?ISO-8859-1?Q?a?= b', 'a b'],
  ['=?ISO-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
  ['=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=', '日本'],
  ['=?US-ASCII*EN?Q?Keith_Moore?=', 'Keith Moore'],
  ['=?x-unknown?Q?caf=E9?=', 'café'],
])('%s reads %s', (header, text) => {
  expect(decodedWords(header)).toBe(text)
})

test('a character split over two words is put together again', () => {
  expect(decodedWords('=?UTF-8?B?4oI=?= =?UTF-8?B?rA==?=')).toBe('€')
})

test('an encoded line break cannot become a header', () => {
  expect(decodedWords('=?UTF-8?Q?Hi=0D=0ABcc:_eve@example.com?=')).toBe('Hi Bcc: eve@example.com')
})

test('what looks encoded but is not stays', () => {
  expect(decodedWords('is 1=?2 or =?UTF-8?X?abc?=')).toBe('is 1=?2 or =?UTF-8?X?abc?=')
})
