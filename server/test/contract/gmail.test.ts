import { describe, expect, test } from 'vitest'
import { gmail } from '../../src/connectors/gmail/connector.ts'
import { READONLY } from '../../src/connectors/gmail/scopes.ts'
import { directService, runTool } from './direct-service.ts'
import { type ApiRequest, type Checked, openDiscovery, specPath } from './discovery.ts'

/** Every tool, in every way that leads to other requests, and the API methods it should call. */
interface Case {
  tool: string
  input: Record<string, unknown>
  calls: string[]
  /** Needed beyond the tool's own scopes in this case, as its description says. */
  also?: string
}

const big = Buffer.alloc(900 * 1024, 'x').toString('base64')
const users = (text: string) => text.split(' ').map((id) => `gmail.users.${id}`)

const CASES: Case[] = [
  {
    tool: 'GMAIL_FETCH_EMAILS',
    input: {
      query: 'from:ann',
      label_ids: ['INBOX', 'UNREAD'],
      max_results: 5,
      page_token: 'p',
      include_spam_trash: true,
    },
    calls: users('messages.list messages.get'),
  },
  { tool: 'GMAIL_FETCH_EMAILS', input: { ids_only: true, max_results: 500 }, calls: users('messages.list') },
  { tool: 'GMAIL_FETCH_EMAILS', input: { verbose: false }, calls: users('messages.list messages.get') },
  ...['full', 'metadata', 'minimal', 'raw'].map((format) => ({
    tool: 'GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID',
    input: { message_id: 'm1', format },
    calls: users('messages.get'),
  })),
  { tool: 'GMAIL_FETCH_MESSAGE_BY_THREAD_ID', input: { thread_id: 't1', page_token: '' }, calls: users('threads.get') },
  { tool: 'GMAIL_LIST_THREADS', input: { query: '', max_results: 500 }, calls: users('threads.list') },
  {
    tool: 'GMAIL_LIST_THREADS',
    input: { verbose: true, label_ids: ['INBOX'] },
    calls: users('threads.list threads.get'),
  },
  {
    tool: 'GMAIL_SEND_EMAIL',
    input: { to: 'ann@example.com', subject: 'Hi', body: 'x' },
    calls: users('messages.send'),
  },
  {
    tool: 'GMAIL_SEND_EMAIL',
    input: { recipient_email: 'ann@example.com', attachment: { name: 'a.bin', content: big } },
    calls: users('messages.send'),
  },
  {
    tool: 'GMAIL_REPLY_TO_THREAD',
    input: { thread_id: 't1', message_body: 'x' },
    calls: users('threads.get messages.send'),
  },
  {
    tool: 'GMAIL_REPLY_TO_THREAD',
    input: { thread_id: 't1', attachment: [{ name: 'a.bin', content: big }] },
    calls: users('threads.get messages.send'),
  },
  {
    tool: 'GMAIL_FORWARD_MESSAGE',
    input: { message_id: 'm1', recipients: ['bob@example.com'] },
    calls: users('messages.get messages.attachments.get messages.send'),
  },
  {
    tool: 'GMAIL_CREATE_EMAIL_DRAFT',
    input: { recipient_email: 'ann@example.com', body: 'x' },
    calls: users('drafts.create'),
  },
  {
    tool: 'GMAIL_CREATE_EMAIL_DRAFT',
    input: { attachment: { name: 'a', content: big } },
    calls: users('drafts.create'),
  },
  {
    tool: 'GMAIL_CREATE_EMAIL_DRAFT',
    input: { thread_id: 't1', body: 'x' },
    calls: users('threads.get drafts.create'),
    also: READONLY,
  },
  { tool: 'GMAIL_UPDATE_DRAFT', input: { draft_id: 'd1', attachment: [] }, calls: users('drafts.get drafts.update') },
  {
    tool: 'GMAIL_UPDATE_DRAFT',
    input: { draft_id: 'd1', attachment: { name: 'a', content: big } },
    calls: users('drafts.get drafts.update'),
  },
  {
    tool: 'GMAIL_UPDATE_DRAFT',
    input: { draft_id: 'd1', subject: 'New' },
    calls: users('drafts.get messages.attachments.get drafts.update'),
    also: READONLY,
  },
  {
    tool: 'GMAIL_UPDATE_DRAFT',
    input: { draft_id: 'd1', thread_id: 't2', attachment: [] },
    calls: users('drafts.get threads.get drafts.update'),
    also: READONLY,
  },
  { tool: 'GMAIL_LIST_DRAFTS', input: { max_results: 500, page_token: 'p' }, calls: users('drafts.list') },
  { tool: 'GMAIL_LIST_DRAFTS', input: { verbose: true }, calls: users('drafts.list drafts.get') },
  { tool: 'GMAIL_GET_DRAFT', input: { draft_id: 'd1' }, calls: users('drafts.get') },
  { tool: 'GMAIL_SEND_DRAFT', input: { draft_id: 'd1' }, calls: users('drafts.send') },
  { tool: 'GMAIL_DELETE_DRAFT', input: { draft_id: 'd1' }, calls: users('drafts.delete') },
  { tool: 'GMAIL_LIST_LABELS', input: {}, calls: users('labels.list') },
  { tool: 'GMAIL_LIST_LABELS', input: { include_details: true }, calls: users('labels.list labels.get') },
  { tool: 'GMAIL_GET_LABEL', input: { id: 'Label_1' }, calls: users('labels.get') },
  {
    tool: 'GMAIL_CREATE_LABEL',
    input: { label_name: 'Work', text_color: '#ffffff', background_color: '#16a766' },
    calls: users('labels.create'),
  },
  {
    tool: 'GMAIL_PATCH_LABEL',
    input: {
      id: 'Label_1',
      userId: 'me',
      name: 'Work',
      color: { textColor: '#ffffff', backgroundColor: '#16a766' },
      labelListVisibility: 'labelHide',
      messageListVisibility: 'hide',
    },
    calls: users('labels.patch'),
  },
  { tool: 'GMAIL_DELETE_LABEL', input: { label_id: 'Label_1' }, calls: users('labels.delete') },
  {
    tool: 'GMAIL_ADD_LABEL_TO_EMAIL',
    input: { message_id: 'm1', add_label_ids: ['STARRED'] },
    calls: users('messages.modify'),
  },
  {
    tool: 'GMAIL_BATCH_MODIFY_MESSAGES',
    input: { messageIds: ['m1', 'm2'], addLabelIds: ['STARRED'], removeLabelIds: ['UNREAD'] },
    calls: users('messages.batchModify'),
  },
  {
    tool: 'GMAIL_MODIFY_THREAD_LABELS',
    input: { thread_id: 't1', remove_label_ids: ['INBOX'] },
    calls: users('threads.modify'),
  },
  { tool: 'GMAIL_MOVE_TO_TRASH', input: { message_id: 'm1' }, calls: users('messages.trash') },
  { tool: 'GMAIL_UNTRASH_MESSAGE', input: { message_id: 'm1' }, calls: users('messages.untrash') },
  { tool: 'GMAIL_MOVE_THREAD_TO_TRASH', input: { thread_id: 't1' }, calls: users('threads.trash') },
  { tool: 'GMAIL_UNTRASH_THREAD', input: { thread_id: 't1' }, calls: users('threads.untrash') },
  { tool: 'GMAIL_DELETE_MESSAGE', input: { message_id: 'm1' }, calls: users('messages.delete') },
  { tool: 'GMAIL_BATCH_DELETE_MESSAGES', input: { messageIds: ['m1'] }, calls: users('messages.batchDelete') },
  { tool: 'GMAIL_DELETE_THREAD', input: { id: 't1' }, calls: users('threads.delete') },
  {
    tool: 'GMAIL_GET_ATTACHMENT',
    input: { message_id: 'm1', attachment_id: 'a1', file_name: 'a.pdf' },
    calls: users('messages.attachments.get'),
  },
  { tool: 'GMAIL_GET_PROFILE', input: {}, calls: users('getProfile') },
  { tool: 'GMAIL_LIST_SEND_AS', input: {}, calls: users('settings.sendAs.list') },
  {
    tool: 'GMAIL_LIST_HISTORY',
    input: {
      start_history_id: '42',
      label_id: 'INBOX',
      history_types: ['messageAdded', 'labelAdded'],
      max_results: 500,
    },
    calls: users('history.list'),
  },
]

/** Tools that need one API method and no other: their scopes must be exactly that method's. */
const SINGLE = Object.keys(gmail.tools).flatMap((tool) => {
  const calls = new Set(CASES.filter((one) => one.tool === tool).flatMap((one) => one.calls))
  return calls.size === 1 ? [{ tool, call: [...calls][0] }] : []
})

test('every tool has a case', () => {
  expect([...new Set(CASES.map(({ tool }) => tool))].sort()).toEqual(Object.keys(gmail.tools).sort())
})

const spec = specPath('google/gmail.v1.json')

describe.skipIf(!spec)(
  `Google's own description of Gmail${spec ? '' : ' (skipped: ../shared has no gmail.v1.json)'}`,
  () => {
    const discovery = spec ? openDiscovery(spec) : undefined

    test.each(CASES)('allows what $tool sends for $input', async ({ tool, input, calls, also }) => {
      const seen: Checked[] = []
      const service = contractService(discovery as Discovered, seen)

      await runTool(gmail, tool, input, service)

      expect(seen.flatMap(({ mistakes }) => mistakes)).toEqual([])
      expect([...new Set(seen.map(({ method }) => method?.id))]).toEqual(calls)
      for (const alternative of gmail.tools[tool]?.scopes ?? []) {
        const held = [alternative, also ?? []].flat()
        for (const { method } of seen) {
          expect(
            method?.scopes.some((scope) => held.includes(scope)),
            `${method?.id} with ${held.join(' + ')}`,
          ).toBe(true)
        }
      }
    })

    test.each(SINGLE)('$tool runs on any scope that Google accepts for it', ({ tool, call }) => {
      const accepted = discovery?.methods.find(({ id }) => id === call)?.scopes.filter((scope) => scope in gmail.scopes)

      expect(gmail.tools[tool]?.scopes.toSorted()).toEqual(accepted?.toSorted())
    })

    test('a scope said to include another opens everything the other opens', () => {
      for (const [scope, { includes = [] }] of Object.entries<{ includes?: readonly string[] }>(gmail.scopes)) {
        for (const inner of includes) {
          const opened = discovery?.methods.filter(({ scopes }) => scopes.includes(inner)) ?? []
          const missing = opened.filter(({ scopes }) => !scopes.includes(scope)).map(({ id }) => id)
          expect(missing, `${scope} includes ${inner}`).toEqual([])
        }
      }
    })

    test('the account is asked for by a call it knows', async () => {
      const seen: Checked[] = []

      const account = await gmail.account(contractService(discovery as Discovered, seen), {})

      expect(seen.flatMap(({ mistakes }) => mistakes)).toEqual([])
      expect(account.email).toBe('sample')
    })
  },
)

type Discovered = ReturnType<typeof openDiscovery>

/** Gmail as its description has it: every request is judged, every answer made up from the schema. */
function contractService(discovery: Discovered, seen: Checked[]) {
  return directService({
    base: gmail.api,
    token: 'none',
    fetch: async (url, init) => {
      const request: ApiRequest = {
        method: init.method ?? 'GET',
        url,
        headers: init.headers as Record<string, string>,
        body: init.body as string | Uint8Array | undefined,
      }
      const checked = discovery.check(request)
      seen.push(checked)
      const id = checked.method?.id ?? ''
      const answer = ANSWERS[id] ?? discovery.sample(id)
      return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer)
    },
  })
}

const MESSAGE = {
  id: 'm1',
  threadId: 't1',
  labelIds: ['INBOX'],
  internalDate: '1767225600000',
  payload: {
    mimeType: 'multipart/mixed',
    headers: [
      { name: 'From', value: 'Ann <ann@example.com>' },
      { name: 'Subject', value: 'Hello' },
      { name: 'Message-ID', value: '<1@example.com>' },
    ],
    parts: [
      { mimeType: 'text/plain', headers: [], body: { size: 2, data: 'SGk' } },
      { mimeType: 'application/pdf', filename: 'a.pdf', headers: [], body: { size: 6, attachmentId: 'a1' } },
    ],
  },
}

/** Where a tool reads the answer closely, made-up text is not enough. */
const ANSWERS: Record<string, unknown> = {
  'gmail.users.messages.get': MESSAGE,
  'gmail.users.threads.get': { id: 't1', messages: [MESSAGE] },
  'gmail.users.drafts.get': { id: 'd1', message: MESSAGE },
}
