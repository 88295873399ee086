import { createEmulator, type Emulator } from 'emulate'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gmail } from '../../src/connectors/gmail/connector.ts'
import { googleProvider } from '../../src/connectors/providers/google.ts'
import type { Service } from '../../src/core/connector.ts'
import { directService, runTool } from './direct-service.ts'

/**
 * The mailbox as a published emulator keeps it: it parses the mail we compose and gives it back as its own payload
 * tree, so what arrives has been through a MIME parser that is not ours.
 */
let google: Emulator
let service: Service

const OWN = 'ann@example.com'

beforeAll(async () => {
  google = await createEmulator({
    service: 'google',
    port: 0,
    seed: {
      tokens: { 'ann-token': { login: OWN, scopes: [] } },
      google: {
        users: [{ email: OWN, name: 'Ann Lee' }],
        messages: [
          {
            id: 'm-bob',
            thread_id: 't-bob',
            from: '"Bob, of Sales" <bob@example.com>',
            reply_to: 'sales@example.com',
            to: `Ann Lee <${OWN}>, Cleo <cleo@example.com>`,
            subject: 'Quote 42',
            body_text: 'The quote is attached.',
            message_id: '<q42@example.com>',
            references: '<q41@example.com>',
            label_ids: ['INBOX', 'UNREAD'],
            date: '2026-01-05T10:00:00Z',
          },
        ],
      },
    },
  })
  service = directService({
    base: google.url,
    token: 'ann-token',
    account: { id: OWN, label: OWN, email: OWN },
    failure: gmail.failure,
  })
})
beforeEach(() => google.reset())
afterAll(() => google.close())

const run = (tool: string, input: Record<string, unknown>) => runTool(gmail, tool, input, service)

describe('mail sent and found again', () => {
  test('keeps subject, names, text, HTML and files', async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 3000 }, (_, index) => index % 256))

    const sent = await run('GMAIL_SEND_EMAIL', {
      recipient_email: '"Ünal, Zoë" <zoe@example.com>',
      cc: ['cleo@example.com'],
      bcc: ['dan@example.com'],
      subject: 'Grüße aus Zürich – 你好, ein recht langer Betreff, der gefaltet werden muss 🎉',
      body: '<h1>Hallo</h1><p>Schöne Grüße &amp; bis <b>bald</b></p>',
      is_html: true,
      attachment: [
        { name: 'Übersicht – Q3.pdf', mimetype: 'application/pdf', content: bytes.toString('base64') },
        { name: 'notes.txt', mimetype: 'text/plain', content: Buffer.from('häh').toString('base64') },
      ],
    })
    const found = await run('GMAIL_FETCH_EMAILS', { query: 'in:sent to:zoe@example.com' })
    const [message] = found.messages
    const file = await run('GMAIL_GET_ATTACHMENT', {
      message_id: message.id,
      attachment_id: message.attachments[0].attachment_id,
      file_name: message.attachments[0].name,
    })

    expect(found.messages).toHaveLength(1)
    expect(message).toMatchObject({
      id: sent.id,
      thread_id: sent.thread_id,
      from: OWN,
      to: ['Ünal, Zoë <zoe@example.com>'],
      cc: ['cleo@example.com'],
      bcc: ['dan@example.com'],
      subject: 'Grüße aus Zürich – 你好, ein recht langer Betreff, der gefaltet werden muss 🎉',
      body: 'Hallo\n\nSchöne Grüße & bis bald',
      labels: ['SENT'],
      attachments: [
        { name: 'Übersicht – Q3.pdf', type: 'application/pdf', size: 3000 },
        { name: 'notes.txt', type: 'text/plain', size: 4 },
      ],
    })
    expect(file).toEqual({
      name: 'Übersicht – Q3.pdf',
      mimetype: 'application/pdf',
      size: 3000,
      content: bytes.toString('base64'),
    })
  })

  test('a page at a time, or as ids only', async () => {
    for (const subject of ['one', 'two', 'three']) {
      await run('GMAIL_SEND_EMAIL', { to: 'zoe@example.com', subject })
    }

    const first = await run('GMAIL_FETCH_EMAILS', { query: 'in:sent', max_results: 2, verbose: false })
    const second = await run('GMAIL_FETCH_EMAILS', {
      query: 'in:sent',
      max_results: 2,
      page_token: first.next_page_token,
      ids_only: true,
    })

    expect(first.messages).toHaveLength(2)
    expect(first.messages[0]).not.toHaveProperty('body')
    expect(Object.keys(second.messages[0])).toEqual(['id', 'thread_id'])
    expect(second).toMatchObject({ messages: { length: 1 }, next_page_token: null })
  })
})

describe('a reply', () => {
  test('joins the conversation and goes where the sender asked', async () => {
    const reply = await run('GMAIL_REPLY_TO_THREAD', { thread_id: 't-bob', message_body: 'Thanks – we take it.' })

    const thread = await run('GMAIL_FETCH_MESSAGE_BY_THREAD_ID', { thread_id: 't-bob' })
    const raw = await headersOf(reply.id)

    expect(reply).toMatchObject({ thread_id: 't-bob', to: ['sales@example.com'], subject: 'Re: Quote 42' })
    expect(thread).toMatchObject({ messages_total: 2, next_page_token: null })
    expect(thread.messages[1]).toMatchObject({ id: reply.id, body: 'Thanks – we take it.', subject: 'Re: Quote 42' })
    expect(raw).toMatchObject({
      'In-Reply-To': '<q42@example.com>',
      References: '<q41@example.com> <q42@example.com>',
    })
  })

  test('to all leaves the own address out and names the others once', async () => {
    const reply = await run('GMAIL_REPLY_TO_THREAD', { thread_id: 't-bob', message_body: 'x', reply_all: true })

    expect(reply).toMatchObject({ to: ['sales@example.com'], cc: ['Cleo <cleo@example.com>'] })
  })

  test('after an own message goes to the same people again', async () => {
    await run('GMAIL_REPLY_TO_THREAD', { thread_id: 't-bob', message_body: 'first' })

    const again = await run('GMAIL_REPLY_TO_THREAD', { thread_id: 't-bob', message_body: 'second' })

    expect(again).toMatchObject({ to: ['sales@example.com'], subject: 'Re: Quote 42' })
  })
})

test('a forwarded message carries its text and files', async () => {
  const sent = await run('GMAIL_SEND_EMAIL', {
    to: 'zoe@example.com',
    subject: 'Plan',
    body: '<p>See <i>file</i></p>',
    is_html: true,
    attachment: { name: 'plan.csv', mimetype: 'text/csv', content: Buffer.from('a,b').toString('base64') },
  })

  const forward = await run('GMAIL_FORWARD_MESSAGE', {
    message_id: sent.id,
    recipients: ['eve@example.com'],
    additional_text: 'For you <3',
  })
  const message = await run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: forward.id })

  expect(message).toMatchObject({ to: ['eve@example.com'], subject: 'Fwd: Plan' })
  expect(message.body).toMatch(/^For you <3\n\n-+ Forwarded message -+\nFrom: ann@example.com\n(?:.*\n)+See file$/)
  expect(message.attachments).toMatchObject([{ name: 'plan.csv', type: 'text/csv', size: 3 }])
})

describe('labels and the bin', () => {
  test('a label is made, set, renamed, listed and deleted', async () => {
    const { id } = await run('GMAIL_CREATE_LABEL', {
      label_name: 'Quotes',
      text_color: '#ffffff',
      background_color: '#16a766',
    })
    const labelled = await run('GMAIL_ADD_LABEL_TO_EMAIL', {
      message_id: 'm-bob',
      add_label_ids: [id],
      remove_label_ids: ['UNREAD'],
    })
    await run('GMAIL_PATCH_LABEL', { id, userId: 'me', name: 'Offers' })
    const counted = await run('GMAIL_GET_LABEL', { id })
    const { labels } = await run('GMAIL_LIST_LABELS', { include_details: true })
    await run('GMAIL_DELETE_LABEL', { label_id: id })
    const after = await run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: 'm-bob', format: 'minimal' })

    expect(labelled.labels.toSorted()).toEqual(['INBOX', id].toSorted())
    expect(counted).toMatchObject({ name: 'Offers', messages_total: 1, messages_unread: 0 })
    expect(labels.find((label: { id: string }) => label.id === id)).toMatchObject({ name: 'Offers', messages_total: 1 })
    expect(after.labels).toEqual(['INBOX'])
  })

  test('many messages at once, and a whole conversation', async () => {
    await run('GMAIL_BATCH_MODIFY_MESSAGES', {
      messageIds: ['m-bob'],
      addLabelIds: ['STARRED'],
      removeLabelIds: ['INBOX'],
    })
    await run('GMAIL_MODIFY_THREAD_LABELS', { thread_id: 't-bob', remove_label_ids: ['UNREAD'] })

    const message = await run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: 'm-bob', format: 'minimal' })

    expect(message.labels).toEqual(['STARRED'])
  })

  test('a message goes to the bin and comes back', async () => {
    const binned = await run('GMAIL_MOVE_TO_TRASH', { message_id: 'm-bob' })
    const gone = await run('GMAIL_FETCH_EMAILS', { query: 'from:bob', ids_only: true })
    await run('GMAIL_UNTRASH_MESSAGE', { message_id: 'm-bob' })
    const back = await run('GMAIL_FETCH_EMAILS', { query: 'from:bob', ids_only: true })

    expect(binned.labels).toContain('TRASH')
    expect(gone.messages).toEqual([])
    expect(back.messages).toEqual([{ id: 'm-bob', thread_id: 't-bob' }])
  })

  test('a conversation goes to the bin and comes back', async () => {
    await run('GMAIL_MOVE_THREAD_TO_TRASH', { thread_id: 't-bob' })
    const gone = await run('GMAIL_LIST_THREADS', { query: 'from:bob' })
    await run('GMAIL_UNTRASH_THREAD', { thread_id: 't-bob' })
    const back = await run('GMAIL_LIST_THREADS', { query: 'from:bob', verbose: true })

    expect(gone.threads).toEqual([])
    expect(back.threads).toMatchObject([
      { id: 't-bob', subject: 'Quote 42', from: ['Bob, of Sales <bob@example.com>'], messages: 1 },
    ])
  })

  test('an erased message is gone, and asking for it says so', async () => {
    await run('GMAIL_DELETE_MESSAGE', { message_id: 'm-bob' })

    await expect(run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: 'm-bob' })).rejects.toMatchObject({
      providerStatus: 404,
      details: { error: 'notFound' },
    })
  })
})

describe('a draft', () => {
  test('is written, changed, read and sent', async () => {
    const draft = await run('GMAIL_CREATE_EMAIL_DRAFT', {
      recipient_email: 'zoe@example.com',
      subject: 'Früh',
      body: 'v1',
      attachment: { name: 'a.txt', mimetype: 'text/plain', content: Buffer.from('file').toString('base64') },
    })
    await run('GMAIL_UPDATE_DRAFT', { draft_id: draft.id, body: 'v2', cc: ['cleo@example.com'] })
    const read = await run('GMAIL_GET_DRAFT', { draft_id: draft.id })
    const listed = await run('GMAIL_LIST_DRAFTS', { verbose: true })
    const sent = await run('GMAIL_SEND_DRAFT', { draft_id: draft.id })
    const left = await run('GMAIL_LIST_DRAFTS', {})
    const message = await run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: sent.id })

    expect(read.message).toMatchObject({
      to: ['zoe@example.com'],
      cc: ['cleo@example.com'],
      subject: 'Früh',
      body: 'v2',
      attachments: [{ name: 'a.txt', size: 4 }],
    })
    expect(listed.drafts).toMatchObject([{ id: draft.id, message: { subject: 'Früh' } }])
    expect(left.drafts).toEqual([])
    expect(message).toMatchObject({ labels: ['SENT'], body: 'v2' })
  })

  test('in a conversation answers its latest message', async () => {
    const draft = await run('GMAIL_CREATE_EMAIL_DRAFT', { thread_id: 't-bob', body: 'Soon.' })

    const read = await run('GMAIL_GET_DRAFT', { draft_id: draft.id })

    expect(draft.thread_id).toBe('t-bob')
    expect(read.message).toMatchObject({ to: ['sales@example.com'], subject: 'Re: Quote 42', body: 'Soon.' })
    expect(await headersOf(draft.message_id)).toMatchObject({ 'In-Reply-To': '<q42@example.com>' })
  })

  test('deleted is gone', async () => {
    const draft = await run('GMAIL_CREATE_EMAIL_DRAFT', { body: 'x' })

    await run('GMAIL_DELETE_DRAFT', { draft_id: draft.id })

    expect(await run('GMAIL_LIST_DRAFTS', {})).toEqual({ drafts: [], next_page_token: null })
  })
})

describe('the account', () => {
  test('is named by Google itself', async () => {
    const answer = await fetch(`${google.url}/oauth2/v2/userinfo`, { headers: { authorization: 'Bearer ann-token' } })

    const account = googleProvider.identity?.account(await answer.json())

    expect(account).toMatchObject({ label: OWN, email: OWN })
    expect(account?.id).toMatch(/^goog/)
  })

  test('is found where Gmail answers no profile', async () => {
    expect(await gmail.account(service, {})).toEqual({ id: OWN, label: OWN, email: OWN })
  })

  test('lists its sender addresses and its history', async () => {
    const before = await run('GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID', { message_id: 'm-bob' })
    const { historyId } = await service.get('/gmail/v1/users/me/messages/m-bob', { format: 'minimal' })
    const sent = await run('GMAIL_SEND_EMAIL', { to: 'zoe@example.com', subject: 'x' })

    const history = await run('GMAIL_LIST_HISTORY', { start_history_id: historyId })
    const addresses = await run('GMAIL_LIST_SEND_AS', {})

    expect(before.date).toBe('2026-01-05T10:00:00.000Z')
    expect(history.changes).toEqual([
      expect.objectContaining({ change: 'message_added', message_id: sent.id, thread_id: sent.thread_id }),
    ])
    expect(addresses.send_as).toMatchObject([{ email: OWN, is_default: true, verified: true }])
  })
})

async function headersOf(id: string): Promise<Record<string, string>> {
  const message = await service.get(`/gmail/v1/users/me/messages/${id}`, { format: 'metadata' })
  return Object.fromEntries(
    message.payload.headers.map((one: { name: string; value: string }) => [one.name, one.value]),
  )
}
