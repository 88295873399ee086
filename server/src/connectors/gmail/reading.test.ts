import { describe, expect, test } from 'vitest'
import { bodyHtml, bodyText, readable } from './reading.ts'

const part = (mimeType: string, content: string | Buffer, more: object = {}) => ({
  mimeType,
  filename: '',
  headers: [],
  body: { size: content.length, data: Buffer.from(content).toString('base64url') },
  ...more,
})
const multipart = (kind: string, ...parts: object[]) => ({ mimeType: `multipart/${kind}`, filename: '', parts })
const file = (name: string, size: number, id = 'a1') => ({
  mimeType: 'application/pdf',
  filename: name,
  body: { attachmentId: id, size },
})

describe('the body', () => {
  test('is the plain text where there is one', () => {
    const root = multipart('alternative', part('text/plain', 'plain'), part('text/html', '<p>rich</p>'))

    expect(bodyText(root)).toBe('plain')
    expect(bodyHtml(root)).toBe('<p>rich</p>')
  })

  test('is the text of the HTML where the plain text says nothing', () => {
    const rich = multipart('related', part('text/html', '<h1>Hello</h1><p>a &amp; b</p><script>x()</script>'))

    expect(bodyText(multipart('alternative', part('text/plain', ' \n'), rich))).toBe('Hello\n\na & b')
    expect(bodyText(rich)).toBe('Hello\n\na & b')
  })

  test('joins the parts of a mixed message and leaves its files out', () => {
    const root = multipart(
      'mixed',
      multipart('alternative', part('text/plain', 'first'), part('text/html', '<p>first</p>')),
      file('a.pdf', 5),
      part('text/plain', 'attached notes', { filename: 'notes.txt' }),
      part('text/plain', 'footer'),
    )

    expect(bodyText(root)).toBe('first\n\nfooter')
  })

  test('is read in the charset of its part', () => {
    const headers = [{ name: 'content-type', value: 'text/plain;\r\n charset="ISO-8859-1"; format=flowed' }]

    expect(bodyText(part('text/plain', Buffer.from([0x63, 0x61, 0x66, 0xe9]), { headers }))).toBe('café')
  })

  test('of a message without any is empty', () => {
    expect(bodyText({ mimeType: 'text/plain', body: { size: 0 } })).toBe('')
    expect(bodyText({})).toBe('')
    expect(bodyText(multipart('mixed'))).toBe('')
  })

  test('nested without end is given up, not followed', () => {
    let root: object = part('text/plain', 'deep')
    for (let level = 0; level < 5000; level++) root = multipart('mixed', root)

    expect(readable({ id: 'm', threadId: 't', payload: root }, 10)).toMatchObject({ body: '', attachments: [] })
  })
})

describe('a readable message', () => {
  const message = {
    id: 'm1',
    threadId: 't1',
    labelIds: ['INBOX'],
    internalDate: '1767225600000',
    snippet: 'Tom &amp; Ann&#39;s &lt;plan&gt;',
    payload: {
      ...multipart('mixed', part('text/plain', 'x'.repeat(50)), file('=?UTF-8?Q?=C3=BC.pdf?=', 1234), {
        mimeType: 'message/rfc822',
        filename: '',
        body: { size: 9 },
        parts: [part('text/plain', 'inner')],
      }),
      headers: [
        { name: 'FROM', value: '=?UTF-8?Q?Zo=C3=AB?= <zoe@x.com>' },
        { name: 'To', value: '"Lee, Ann" <ann@x.com>, bob@x.com' },
        { name: 'Subject', value: 'Long\r\n subject' },
        { name: 'X-Spam', value: 'no' },
      ],
    },
  }

  test('holds what an agent needs and no more', () => {
    expect(readable(message, 100)).toEqual({
      id: 'm1',
      thread_id: 't1',
      from: 'Zoë <zoe@x.com>',
      to: ['Lee, Ann <ann@x.com>', 'bob@x.com'],
      subject: 'Long subject',
      date: '2026-01-01T00:00:00.000Z',
      labels: ['INBOX'],
      snippet: "Tom & Ann's <plan>",
      body: 'x'.repeat(50),
      attachments: [
        { name: 'ü.pdf', type: 'application/pdf', size: 1234, attachment_id: 'a1' },
        { name: 'message.eml', type: 'message/rfc822', size: 9, attachment_id: null },
      ],
    })
  })

  test('says when its body was cut, and cuts no character in two', () => {
    const payload = part('text/plain', 'abc🎉def')

    expect(readable({ ...message, payload }, 4)).toMatchObject({
      body: 'abc',
      body_note: 'Cut after 3 of 8 characters.',
    })
    expect(readable(message, 50)).not.toHaveProperty('body_note')
  })

  test('leaves body and files out where they were not asked for, and bears a minimal answer', () => {
    expect(readable(message, null)).not.toHaveProperty('body')
    expect(readable({ id: 'm', threadId: 't' }, 10)).toEqual({ id: 'm', thread_id: 't', labels: [], snippet: '' })
  })
})
