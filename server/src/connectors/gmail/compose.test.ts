import { describe, expect, test } from 'vitest'
import { bodies, composed, files, MAX_MESSAGE_BYTES } from './compose.ts'

const to = [{ name: '', address: 'zoe@example.com' }]
const text = async (message: Parameters<typeof composed>[0]) => (await composed(message)).toString('utf8')

describe('a composed message', () => {
  test('is plain text alone where nothing more was given', async () => {
    const mail = await text({ to, subject: 'Hi', text: 'Hello' })

    expect(mail).toContain('Content-Type: text/plain; charset=utf-8\r\n')
    expect(mail).toMatch(/\r\n\r\nHello\r\n$/)
    expect(mail).not.toMatch(/^From:/m)
    expect(mail).not.toMatch(/multipart/)
  })

  test('has only ASCII headers with CRLF line ends, whatever was written', async () => {
    const mail = await composed({
      to: [{ name: 'Ünal, Zoë 🎉', address: 'zoe@exämple.com' }],
      subject: 'Ä'.repeat(300),
      text: 'x\ny\r\nz',
      files: [{ name: 'ü "q".pdf', type: 'application/pdf', data: Buffer.from('%PDF') }],
    })

    const head = mail.subarray(0, mail.indexOf('\r\n\r\n'))
    expect(head.every((byte) => byte < 0x80)).toBe(true)
    expect(mail.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(
      Math.max(
        ...mail
          .toString('latin1')
          .split('\r\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(998)
  })

  test('keeps Bcc, which Gmail reads the recipients from', async () => {
    expect(await text({ to, bcc: [{ name: '', address: 'dan@example.com' }] })).toContain('Bcc: dan@example.com\r\n')
  })

  test('offers HTML with its text, files outside both, and pictures beside the HTML', async () => {
    const mail = await text({
      to,
      ...bodies('<p>Look: <img src="cid:pic@x"></p>', true),
      files: [
        { name: 'a.txt', type: 'text/plain', data: Buffer.from('a') },
        { name: 'p.png', type: 'image/png', data: Buffer.from('p'), contentId: 'pic@x' },
      ],
    })

    const types = [...mail.matchAll(/^Content-Type: ([\w/]+)/gm)].map(([, type]) => type)
    expect(types).toEqual([
      'multipart/mixed',
      'multipart/alternative',
      'text/plain',
      'multipart/related',
      'text/html',
      'image/png',
      'text/plain',
    ])
    expect(mail).toContain('Content-ID: <pic@x>')
    expect(mail).toMatch(/Content-Disposition: inline;\s+filename=p.png/)
  })

  test('without text still has its file as an attachment', async () => {
    const mail = await text({ to, files: [{ name: 'a.pdf', type: 'application/pdf', data: Buffer.from('%PDF') }] })

    const types = [...mail.matchAll(/^Content-Type: ([\w/]+)/gm)].map(([, type]) => type)
    expect(types).toEqual(['multipart/mixed', 'text/plain', 'application/pdf'])
  })

  test('names the conversation it answers', async () => {
    const mail = await text({ to, inReplyTo: '<2@x>', references: ['<1@x>', '<2@x>'] })

    expect(mail).toContain('In-Reply-To: <2@x>\r\n')
    expect(mail).toContain('References: <1@x> <2@x>\r\n')
  })

  test('cannot be given further headers by its subject or a name', async () => {
    const mail = await text({
      to: [{ name: 'Zoe\r\nX-Evil: 1', address: 'zoe@example.com' }],
      subject: 'Hi\r\nBcc: eve@example.com',
      text: 'x',
    })

    expect(mail).not.toMatch(/^(Bcc|X-Evil):/m)
  })

  test('does not say which machine wrote it', async () => {
    expect(await text({ to })).toMatch(/^Message-ID: <[\w-]+@gmail\.com>\r$/m)
    expect(await text({ to, domain: 'example.com' })).toMatch(/^Message-ID: <[\w-]+@example\.com>\r$/m)
  })

  test('beyond 25 MB is refused with its size', async () => {
    const data = Buffer.alloc(MAX_MESSAGE_BYTES / 2)
    const half = { name: 'a', type: 'application/zip', data }

    await expect(composed({ to, text: 'x', files: [half, half] })).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('25.0 MB; Gmail takes 25 MB'),
    })
  })
})

test('HTML always comes with a text of it', () => {
  expect(bodies('<p>One<br>two &lt;3</p><style>p{}</style><a href="https://x.com">x</a>', true)).toEqual({
    html: '<p>One<br>two &lt;3</p><style>p{}</style><a href="https://x.com">x</a>',
    text: 'One\ntwo <3\n\nx [https://x.com]',
  })
  expect(bodies('<p>', false)).toEqual({ text: '<p>' })
})

test('one file or several are decoded', () => {
  const file = { name: 'a', mimetype: 'text/plain', content: 'YQ==' }

  expect(files(undefined)).toEqual([])
  expect(files(file)).toEqual([{ name: 'a', type: 'text/plain', data: Buffer.from('a') }])
  expect(files([file, file])).toHaveLength(2)
})
