import { describe, expect, test } from 'vitest'
import { addressMistake, mailboxes, written } from './addresses.ts'

describe('an address to write to', () => {
  test.each([
    'ann@example.com',
    'Ann Lee <ann@example.com>',
    '"Lee, Ann" <ann@example.com>',
    'a.b+c@sub.example.co.uk',
    'zoë@exämple.com',
  ])('may be %s', (text) => {
    expect(addressMistake(text)).toBeUndefined()
  })

  test.each([
    ['', /must be an email address/],
    ['ann', /must be an email address/],
    ['ann@localhost', /must be an email address/],
    ['ann@example.com, bob@example.com', /must be one address/],
    ['Friends: ann@example.com, bob@example.com;', /must be one address/],
    ['ann@example.com\r\nBcc: eve@example.com', /single line/],
    ['Ann\u0000 <ann@example.com>', /single line/],
    [`${'a'.repeat(300)}@example.com`, /must be an email address/],
  ])('may not be %j', (text, sentence) => {
    expect(addressMistake(text)).toMatch(sentence)
  })
})

test('a header gives its mailboxes, groups opened and names decoded', () => {
  const found = mailboxes('"Lee, Ann" <ann@x.com>, =?UTF-8?Q?Zo=C3=AB=2C_Q?= <zoe@x.com>, Team: bob@x.com;, cleo@x.com')

  expect(found).toEqual([
    { name: 'Lee, Ann', address: 'ann@x.com' },
    { name: 'Zoë, Q', address: 'zoe@x.com' },
    { name: '', address: 'bob@x.com' },
    { name: '', address: 'cleo@x.com' },
  ])
  expect(found.map(written)[1]).toBe('Zoë, Q <zoe@x.com>')
  expect(mailboxes(undefined)).toEqual([])
})
