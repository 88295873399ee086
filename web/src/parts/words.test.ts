import { expect, test } from 'vitest'
import { inWords } from './words.ts'

test.each([
  ['recipient_email', 'Recipient email'],
  ['isHtml', 'Is HTML'],
  ['message_id', 'Message ID'],
  ['bcc', 'Bcc'],
])('%s is labelled "%s"', (name, label) => {
  expect(inWords(name)).toBe(label)
})
