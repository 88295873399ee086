import { describe, expect, test } from 'vitest'
import { answerTo, messageIds, prefixed } from './conversation.ts'

const message = (headers: Record<string, string>, labelIds: string[] = ['INBOX']) => ({
  labelIds,
  payload: { headers: Object.entries(headers).map(([name, value]) => ({ name, value })) },
})
const addresses = (list: { address: string }[]) => list.map(({ address }) => address)

describe('an answer goes', () => {
  const received = {
    From: 'Bob <bob@x.com>',
    To: 'Ann <ANN@x.com>, cleo@x.com',
    Cc: 'dan@x.com, bob@x.com, CLEO@x.com, undisclosed-recipients:;',
  }

  test('to the sender alone', () => {
    expect(answerTo(message(received), 'ann@x.com', false)).toMatchObject({
      to: [{ name: 'Bob', address: 'bob@x.com' }],
      cc: [],
    })
  })

  test('to where the sender asked for answers', () => {
    const { to } = answerTo(message({ ...received, 'Reply-To': 'list@x.com, bob2@x.com' }), 'ann@x.com', false)

    expect(addresses(to)).toEqual(['list@x.com', 'bob2@x.com'])
  })

  test('to all: everyone once, without the own address', () => {
    const { to, cc } = answerTo(message(received), 'ann@x.com', true)

    expect(addresses(to)).toEqual(['bob@x.com'])
    expect(addresses(cc)).toEqual(['cleo@x.com', 'dan@x.com'])
  })

  test('after an own message to the same people', () => {
    const own = { From: 'ann@x.com', To: 'bob@x.com', Cc: 'dan@x.com' }

    expect(addresses(answerTo(message(own, ['SENT']), undefined, true).to)).toEqual(['bob@x.com'])
    expect(addresses(answerTo(message(own, []), 'Ann@X.com', true).cc)).toEqual(['dan@x.com'])
  })

  test('to nobody where the sender is not an address', () => {
    expect(answerTo(message({ From: 'MAILER-DAEMON' }), 'ann@x.com', false).to).toEqual([])
  })
})

describe('an answer is tied to the message', () => {
  test('by its id after those before it', () => {
    const answer = answerTo(
      message({ From: 'b@x.com', 'Message-Id': '<3@x>', References: '<1@x>\r\n <2@x>' }),
      undefined,
      false,
    )

    expect(answer).toMatchObject({ inReplyTo: '<3@x>', references: ['<1@x>', '<2@x>', '<3@x>'] })
  })

  test('by what it answered itself where it lists no references', () => {
    const answer = answerTo(
      message({ From: 'b@x.com', 'Message-ID': '<2@x>', 'In-Reply-To': '<1@x>' }),
      undefined,
      false,
    )

    expect(answer.references).toEqual(['<1@x>', '<2@x>'])
  })

  test('by the first and the latest of a very long conversation', () => {
    const ids = Array.from({ length: 200 }, (_, index) => `<${index}@x>`)
    const { references } = answerTo(message({ 'Message-ID': '<new@x>', References: ids.join(' ') }), undefined, false)

    expect(references).toHaveLength(30)
    expect([references[0], references[1], references.at(-1)]).toEqual(['<0@x>', '<172@x>', '<new@x>'])
  })

  test('not at all where the message has no id', () => {
    const answer = answerTo(message({ From: 'b@x.com', Subject: 'Hi' }), undefined, false)

    expect(answer).toEqual({ to: [{ name: '', address: 'b@x.com' }], cc: [], subject: 'Re: Hi', references: [] })
  })
})

test('a subject gets its prefix once', () => {
  expect(['Hi', 'Re: Hi', 'RE : Hi', 'Regards', ''].map((subject) => prefixed('Re', subject))).toEqual([
    'Re: Hi',
    'Re: Hi',
    'RE : Hi',
    'Re: Regards',
    'Re:',
  ])
  expect(['Fw: Hi', 'fwd: Hi', 'Re: Hi'].map((subject) => prefixed('Fwd', subject))).toEqual([
    'Fw: Hi',
    'fwd: Hi',
    'Fwd: Re: Hi',
  ])
})

test('only what stands in angle brackets is a message id', () => {
  expect(messageIds('<a@x> junk <b@x>\r\n<c d> <<e@x>>')).toEqual(['<a@x>', '<b@x>', '<e@x>'])
  expect(messageIds(undefined)).toEqual([])
})
