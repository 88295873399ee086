import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { directService, runTool } from '../../../test/contract/direct-service.ts'
import { gmail } from './connector.ts'

interface Sent {
  method: string
  path: string
  query: URLSearchParams
  type: string | undefined
  body: Buffer
}

/** Gmail as one function from a request to its answer; an answer with `status` is a refusal. */
function standIn(answers: (request: Sent) => unknown) {
  const sent: Sent[] = []
  const service = directService({
    base: gmail.api,
    token: 'none',
    failure: gmail.failure,
    account: { id: '7', label: 'ann@example.com', email: 'ann@example.com' },
    fetch: async (address, init) => {
      const url = new URL(address)
      const request = {
        method: init.method ?? 'GET',
        path: url.pathname.replace('/gmail/v1/users/me', ''),
        query: url.searchParams,
        type: (init.headers as Record<string, string>)['content-type'],
        body: Buffer.from((init.body as string | undefined) ?? ''),
      }
      sent.push(request)
      const answer: any = answers(request)
      if (answer?.status) {
        const { status, reason } = answer
        return Response.json({ error: { code: status, message: 'No.', errors: [{ reason }] } }, { status })
      }
      return Response.json(answer ?? {})
    },
  })
  return { service, sent, run: (tool: string, input: Record<string, unknown>) => runTool(gmail, tool, input, service) }
}

const message = (id: string, text = 'x') => ({
  id,
  threadId: `t-${id}`,
  payload: {
    mimeType: 'text/plain',
    headers: [{ name: 'Subject', value: `About ${id}` }],
    body: { data: Buffer.from(text).toString('base64url') },
  },
})

describe('a search', () => {
  test('hands back the messages it got and says which it did not', async () => {
    const { run } = standIn(({ path }) => {
      if (path === '/messages')
        return { messages: ['a', 'b', 'c'].map((id) => ({ id, threadId: 't' })), nextPageToken: 'n' }
      return path === '/messages/b' ? { status: 404, reason: 'notFound' } : message(path.slice(10))
    })

    const answer = await run('GMAIL_FETCH_EMAILS', { q: 'x', max_results: 3 })

    expect(answer.messages).toMatchObject([
      { id: 'a', subject: 'About a', body: 'x' },
      { id: 'b', error: { code: 'provider_rejected', message: 'No.' } },
      { id: 'c' },
    ])
    expect(answer.next_page_token).toBe('n')
  })

  test('cuts bodies shorter the more messages there are, and says where to read on', async () => {
    const { run } = standIn(({ path }) =>
      path === '/messages'
        ? { messages: Array.from({ length: 50 }, (_, index) => ({ id: `m${index}`, threadId: 't' })) }
        : message(path.slice(10), 'y'.repeat(30_000)),
    )

    const { messages } = await run('GMAIL_FETCH_EMAILS', { max_results: 50 })

    expect(messages[0].body).toHaveLength(4_000)
    expect(messages[0].body_note).toMatch(/4000 of 30000 .* GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID/)
  })

  test('without a scope fails as a whole, naming the lack', async () => {
    const { run } = standIn(() => ({ status: 403, reason: 'insufficientPermissions' }))

    await expect(run('GMAIL_FETCH_EMAILS', {})).rejects.toMatchObject({ code: 'missing_scope' })
  })

  test('that finds nothing answers an empty page', async () => {
    const { run } = standIn(() => ({ resultSizeEstimate: 0 }))

    expect(await run('GMAIL_FETCH_EMAILS', { page_token: '' })).toEqual({
      messages: [],
      next_page_token: null,
      about_total: 0,
    })
  })
})

test('a long conversation is read page by page, oldest first', async () => {
  const all = Array.from({ length: 30 }, (_, index) => message(`m${index}`))
  const { run } = standIn(() => ({ id: 't1', messages: all }))

  const first = await run('GMAIL_FETCH_MESSAGE_BY_THREAD_ID', { thread_id: 't1' })
  const second = await run('GMAIL_FETCH_MESSAGE_BY_THREAD_ID', { thread_id: 't1', page_token: first.next_page_token })

  expect([first.messages.length, first.messages[0].id, first.messages_total]).toEqual([25, 'm0', 30])
  expect([second.messages.length, second.messages[0].id, second.next_page_token]).toEqual([5, 'm25', null])
  await expect(run('GMAIL_FETCH_MESSAGE_BY_THREAD_ID', { thread_id: 't1', page_token: 'abc' })).rejects.toMatchObject({
    code: 'invalid_input',
  })
})

describe('sending', () => {
  test('a small message goes as JSON', async () => {
    const { run, sent } = standIn(() => ({ id: 's1', threadId: 't1', labelIds: ['SENT'] }))

    const answer = await run('GMAIL_SEND_EMAIL', { to: 'Zoe <zoe@example.com>', subject: 'Hi', body: 'x' })

    const raw = Buffer.from(JSON.parse(sent[0]?.body.toString() ?? '').raw, 'base64url').toString()
    expect(sent).toMatchObject([{ method: 'POST', path: '/messages/send', type: 'application/json' }])
    expect(raw).toMatch(/^Message-ID: <[\w-]+@example\.com>\r$/m)
    expect(answer).toEqual({
      id: 's1',
      thread_id: 't1',
      labels: ['SENT'],
      to: ['Zoe <zoe@example.com>'],
      subject: 'Hi',
    })
  })

  test('a large message goes to the upload address, bytes as they are', async () => {
    const { run, sent } = standIn(() => ({ id: 's1' }))
    const content = Buffer.alloc(2_000_000, 'z').toString('base64')

    await run('GMAIL_SEND_EMAIL', { to: 'zoe@example.com', attachments: [{ name: 'a.zip', content }] })

    expect(sent).toMatchObject([{ method: 'POST', path: '/upload/messages/send' }])
    expect(sent[0]?.query.get('uploadType')).toBe('multipart')
    expect(sent[0]?.type).toMatch(/^multipart\/related; boundary=/)
    expect(sent[0]?.body.subarray(0, 400).toString()).toContain('message/rfc822\r\n\r\nTo: zoe@example.com\r\n')
  })

  test('a conversation of drafts only has nothing to answer', async () => {
    const { run } = standIn(() => ({ id: 't1', messages: [{ ...message('d'), labelIds: ['DRAFT'] }] }))

    await expect(run('GMAIL_REPLY_TO_THREAD', { thread_id: 't1' })).rejects.toThrow(/only drafts/)
  })

  test('a reply skips a newer draft and says when it has nobody to go to', async () => {
    const bounce = { ...message('m'), labelIds: ['INBOX'] }
    const { run, sent } = standIn(({ path }) =>
      path.startsWith('/threads') ? { messages: [bounce, { ...message('d'), labelIds: ['DRAFT'] }] } : { id: 's' },
    )

    await expect(run('GMAIL_REPLY_TO_THREAD', { thread_id: 't1' })).rejects.toMatchObject({ code: 'invalid_input' })
    const answer = await run('GMAIL_REPLY_TO_THREAD', { thread_id: 't1', recipient_email: 'bob@example.com' })

    expect(answer).toMatchObject({ to: ['bob@example.com'], subject: 'Re: About m' })
    expect(JSON.parse(sent.at(-1)?.body.toString() ?? '')).toMatchObject({ threadId: 't1' })
  })
})

describe('forwarding', () => {
  const forwardable = (size: number) => ({
    ...message('m'),
    payload: {
      mimeType: 'multipart/mixed',
      headers: [{ name: 'Subject', value: 'Plan' }],
      parts: [
        { mimeType: 'text/html', body: { data: Buffer.from('<p><img src="cid:pic1"></p>').toString('base64url') } },
        {
          mimeType: 'image/png',
          filename: 'p.png',
          headers: [{ name: 'Content-ID', value: '<pic1>' }],
          body: { attachmentId: 'a1', size },
        },
        { mimeType: 'message/rfc822', filename: '', body: { size: 10 } },
      ],
    },
  })

  test('keeps pictures in place and names what could not be taken along', async () => {
    const { run, sent } = standIn(({ path }) => {
      if (path === '/messages/m') return forwardable(3)
      return path.endsWith('/attachments/a1') ? { data: 'UE5H', size: 3 } : { id: 's', threadId: 't' }
    })

    const answer = await run('GMAIL_FORWARD_MESSAGE', {
      message_id: 'm',
      recipient_email: 'bob@example.com',
      additional_text: 'See <below>\n& reply',
    })

    const raw = Buffer.from(JSON.parse(sent.at(-1)?.body.toString() ?? '').raw, 'base64url').toString()
    expect(answer).toMatchObject({ to: ['bob@example.com'], subject: 'Fwd: Plan', left_out: ['message.eml'] })
    expect(raw).toContain('Content-ID: <pic1>')
    expect(raw).toContain('<div>See &lt;below&gt;<br>&amp; reply</div>')
  })

  test('is refused before anything is fetched when the files are too many', async () => {
    const { run, sent } = standIn(() => forwardable(26 * 1024 * 1024))

    await expect(
      run('GMAIL_FORWARD_MESSAGE', { message_id: 'm', recipients: ['bob@example.com'] }),
    ).rejects.toMatchObject({
      code: 'too_large',
    })
    expect(sent).toHaveLength(1)
  })
})

describe('drafts', () => {
  test('an answer that may not be read says which permission it needs', async () => {
    const { run } = standIn(() => ({ status: 403, reason: 'insufficientPermissions' }))

    await expect(run('GMAIL_CREATE_EMAIL_DRAFT', { thread_id: 't1' })).rejects.toMatchObject({
      code: 'missing_scope',
      details: { scope: 'https://www.googleapis.com/auth/gmail.readonly' },
    })
  })

  test('a change keeps the rest, the conversation and its ties included', async () => {
    const before = {
      id: 'd1',
      message: {
        ...message('m', 'old text'),
        payload: {
          ...message('m', 'old text').payload,
          headers: [
            { name: 'From', value: 'Ann <ann@example.com>' },
            { name: 'To', value: 'bob@example.com' },
            { name: 'Subject', value: 'Old' },
            { name: 'In-Reply-To', value: '<1@x>' },
            { name: 'References', value: '<0@x> <1@x>' },
          ],
        },
      },
    }
    const { run, sent } = standIn(({ method }) =>
      method === 'GET' ? before : { id: 'd1', message: { id: 'm2', threadId: 't-m' } },
    )

    const answer = await run('GMAIL_UPDATE_DRAFT', { id: 'd1', subject: 'New' })

    const body = JSON.parse(sent.at(-1)?.body.toString() ?? '')
    const raw = Buffer.from(body.message.raw, 'base64url').toString()
    expect(answer).toEqual({ id: 'd1', message_id: 'm2', thread_id: 't-m' })
    expect(body.message.threadId).toBe('t-m')
    for (const line of [
      'From: Ann <ann@example.com>',
      'To: bob@example.com',
      'Subject: New',
      'In-Reply-To: <1@x>',
      'References: <0@x> <1@x>',
    ]) {
      expect(raw).toContain(`${line}\r\n`)
    }
    expect(raw).toContain('\r\n\r\nold text')
  })
})

test('an attachment beyond 10 MB is refused with its size', async () => {
  const { run } = standIn(() => ({ data: Buffer.alloc(11 * 1024 * 1024).toString('base64url') }))

  await expect(run('GMAIL_GET_ATTACHMENT', { message_id: 'm', attachment_id: 'a' })).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('11.0 MB'),
  })
})

describe('the account', () => {
  test('is the profile’s address', async () => {
    const { service } = standIn(() => ({ emailAddress: 'Ann@Example.com' }))

    expect(await gmail.account(service, {})).toEqual({
      id: 'ann@example.com',
      label: 'Ann@Example.com',
      email: 'Ann@Example.com',
    })
  })

  test('is not guessed when Gmail refuses', async () => {
    const refused = standIn(() => ({ status: 403, reason: 'insufficientPermissions' })).service
    const silent = standIn(() => ({})).service

    await expect(gmail.account(refused, {})).rejects.toMatchObject({ code: 'missing_scope' })
    await expect(gmail.account(silent, {})).rejects.toMatchObject({ code: 'provider_unavailable' })
  })
})

describe('input is refused with a sentence', () => {
  const unreachable = standIn(() => expect.unreachable())

  test.each([
    ['GMAIL_SEND_EMAIL', { body: 'x' }, 'recipient_email', /needs an address/],
    ['GMAIL_SEND_EMAIL', { to: 'zoe@example.com' }, 'body', /would be empty/],
    ['GMAIL_SEND_EMAIL', { to: 'zoe', body: 'x' }, 'recipient_email', /must be an email address/],
    ['GMAIL_SEND_EMAIL', { to: 'z@x.com\nBcc: e@x.com', body: 'x' }, 'recipient_email', /line break here/],
    ['GMAIL_SEND_EMAIL', { to: 'z@x.com', subject: 'a\r\nBcc: e@x.com' }, 'subject', /line break here/],
    ['GMAIL_SEND_EMAIL', { to: 'z@x.com', cc: ['a@x.com', 'nobody'] }, 'cc.1', /must be an email address/],
    ['GMAIL_FETCH_EMAILS', { max_results: 200 }, 'max_results', /100 unless ids_only/],
    ['GMAIL_FETCH_EMAILS', { user_id: '../x' }, 'user_id', /must be "me"/],
    ['GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: 'a/../b' }, 'message_id', /id exactly as/],
    ['GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: '..' }, 'message_id', /id exactly as/],
    ['GMAIL_ADD_LABEL_TO_EMAIL', { message_id: 'm' }, 'add_label_ids', /labels to add/],
    ['GMAIL_BATCH_MODIFY_MESSAGES', { ids: [], addLabelIds: ['X'] }, 'messageIds', /./],
    ['GMAIL_PATCH_LABEL', { id: 'L' }, 'name', /at least one thing/],
    ['GMAIL_CREATE_LABEL', { name: 'x', text_color: '#ffffff' }, 'background_color', /given together/],
  ])('%s %j', async (tool, input, field, sentence) => {
    const refusal = await unreachable.run(tool, input).catch((error) => error)

    expect(refusal).toBeInstanceOf(z.ZodError)
    expect(refusal.issues.map((issue: z.core.$ZodIssue) => issue.path.join('.'))).toContain(field)
    expect(refusal.issues.map((issue: z.core.$ZodIssue) => issue.message).join()).toMatch(sentence)
  })

  test.each([
    [{ name: 'a/b', content: 'YQ==' }],
    [{ name: 'a\nb', content: 'YQ==' }],
    [{ name: 'a', content: 'nonsense!' }],
    [{ name: 'a', content: 'YQ==', mimetype: 'multipart/mixed' }],
    [{ name: 'a', content: 'YQ==', mimetype: 'text' }],
  ])('for the attachment %j', async (attachment) => {
    await expect(unreachable.run('GMAIL_SEND_EMAIL', { to: 'z@x.com', attachment })).rejects.toBeInstanceOf(z.ZodError)
  })
})

describe('every tool', () => {
  test.each(Object.entries(gmail.tools))('%s has a JSON Schema whose every field is explained', (_, tool) => {
    const schema = z.toJSONSchema(tool.input, { io: 'input' }) as {
      properties: Record<string, { description?: string }>
    }

    const unexplained = Object.entries(schema.properties).filter(([, field]) => !field.description)
    expect(unexplained.map(([name]) => name)).toEqual([])
  })

  test('that reads asks for a scope that cannot write first', () => {
    const reads = Object.entries(gmail.tools).filter(([, { effect }]) => effect === 'read')

    expect(reads.length).toBeGreaterThan(10)
    for (const [name, { scopes }] of reads) {
      expect(
        [scopes[0]].flat().map((scope) => gmail.scopes[scope as keyof typeof gmail.scopes].effect),
        name,
      ).toEqual(['read'])
    }
  })

  test('that deletes for good is destructive', () => {
    const destructive = Object.entries(gmail.tools).filter(([, { effect }]) => effect === 'destructive')

    expect(destructive.map(([name]) => name).toSorted()).toEqual([
      'GMAIL_BATCH_DELETE_MESSAGES',
      'GMAIL_DELETE_DRAFT',
      'GMAIL_DELETE_LABEL',
      'GMAIL_DELETE_MESSAGE',
      'GMAIL_DELETE_THREAD',
    ])
  })
})
