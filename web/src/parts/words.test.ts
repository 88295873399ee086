import { expect, test } from 'vitest'
import { asSentence, inWords } from './words.ts'

test.each([
  ['recipient_email', 'Recipient email'],
  ['isHtml', 'Is HTML'],
  ['message_id', 'Message ID'],
  ['bcc', 'Bcc'],
])('%s is labelled "%s"', (name, label) => {
  expect(inWords(name)).toBe(label)
})

test.each([
  ['Connect Google again', 'Connect Google again.'],
  ['Ask for a new link.', 'Ask for a new link.'],
  ['Is it on?', 'Is it on?'],
])('%s stands alone as %s', (text, sentence) => {
  expect(asSentence(text)).toBe(sentence)
})
