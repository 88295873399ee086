import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { each, type Missed } from './each.ts'
import { labelIds, mailbox, messageId, pageToken, threadId, userId } from './fields.ts'
import { type ReadableMessage, readable } from './reading.ts'
import { scopes, toRead } from './scopes.ts'

/** Characters of all bodies of one answer together. */
const ALL_BODIES = 200_000
const ONE_BODY = 100_000
/** Messages of a conversation per answer. */
const THREAD_PAGE = 25

const maxResults = (most: number) => z.int().min(1).max(most)

const format = z
  .enum(['full', 'metadata', 'minimal', 'raw'])
  .default('full')
  .describe(
    'full: headers, body, attachment list. metadata: without body. minimal: labels and snippet only. raw: the whole message as Internet mail in base64url',
  )

export const mailTools = defineTools(scopes, {
  GMAIL_FETCH_EMAILS: {
    title: 'Search mail',
    description:
      'Finds messages with Gmail search, newest first, and reads them. Use it first for any question about mail. `query` takes what Gmail’s search box takes: from:, to:, subject:, has:attachment, is:unread, newer_than:7d, after:2026/01/31, label:, in:sent, rfc822msgid:, "exact words", OR, -not. Answers messages with sender, recipients, subject, date, labels, body as text and attachments; `id` feeds the message tools, `thread_id` GMAIL_REPLY_TO_THREAD. To scan many, set `verbose` false (headers and snippet) or `ids_only`. More: repeat with `page_token`.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z
      .object({
        query: z.string().max(2000).optional().describe('Gmail search, such as `from:ann@example.com newer_than:7d`'),
        label_ids: labelIds.optional().describe('Only messages with all of these label ids, such as INBOX, UNREAD'),
        max_results: maxResults(500)
          .default(10)
          .describe('Per page: up to 100, or up to 500 with `ids_only`. Bodies are cut shorter the more there are'),
        page_token: pageToken,
        verbose: z.boolean().default(true).describe('false: headers and snippet instead of bodies'),
        ids_only: z.boolean().default(false).describe('Only `id` and `thread_id`; fastest'),
        include_payload: z.boolean().default(true).describe('false: leave bodies and attachment lists out'),
        include_spam_trash: z.boolean().default(false).describe('Look in Spam and Trash too'),
        user_id: userId,
      })
      .refine(({ ids_only, max_results }) => ids_only || max_results <= 100, {
        path: ['max_results'],
        message: 'must be at most 100 unless ids_only is true',
      }),
    paramAliases: { q: 'query' },
    run: fetchEmails,
  },

  GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID: {
    title: 'Read a message',
    description:
      'Reads one message by id, its body as text (up to 100,000 characters) and its attachments with their ids for GMAIL_GET_ATTACHMENT. Ids come from GMAIL_FETCH_EMAILS.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z.object({ message_id: messageId, format, user_id: userId }),
    paramAliases: { id: 'message_id' },
    run: async ({ message_id, format, user_id }, service) =>
      inFormat(await service.get(mailbox(user_id, 'messages', message_id), { format }), format),
  },

  GMAIL_FETCH_MESSAGE_BY_THREAD_ID: {
    title: 'Read a conversation',
    description:
      'Reads the messages of one conversation, oldest first, 25 per page, bodies as text. Use it before answering, to know what was said. `thread_id` comes from GMAIL_FETCH_EMAILS or GMAIL_LIST_THREADS.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z.object({ thread_id: threadId, page_token: pageToken, user_id: userId }),
    paramAliases: { id: 'thread_id' },
    run: fetchThread,
  },

  GMAIL_LIST_THREADS: {
    title: 'List conversations',
    description:
      'Finds conversations with Gmail search (as in GMAIL_FETCH_EMAILS), latest first. Answers ids and snippets; with `verbose` also subject, people, date and number of messages. Read one with GMAIL_FETCH_MESSAGE_BY_THREAD_ID.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z
      .object({
        query: z.string().max(2000).optional().describe('Gmail search, such as `is:unread in:inbox`'),
        label_ids: labelIds.optional().describe('Only conversations with all of these label ids'),
        max_results: maxResults(500).default(10).describe('Per page: up to 500, or up to 100 with `verbose`'),
        page_token: pageToken,
        verbose: z.boolean().default(false).describe('Add subject, people, date and number of messages'),
        include_spam_trash: z.boolean().default(false).describe('Look in Spam and Trash too'),
        user_id: userId,
      })
      .refine(({ verbose, max_results }) => !verbose || max_results <= 100, {
        path: ['max_results'],
        message: 'must be at most 100 with verbose',
      }),
    paramAliases: { q: 'query' },
    run: listThreads,
  },
})

async function fetchEmails(
  input: {
    query?: string | undefined
    label_ids?: string[] | undefined
    max_results: number
    page_token?: string | undefined
    verbose: boolean
    ids_only: boolean
    include_payload: boolean
    include_spam_trash: boolean
    user_id: string
  },
  service: Service,
) {
  const page = await service.get(mailbox(input.user_id, 'messages'), listQuery(input))
  const listed: { id: string; threadId: string }[] = page?.messages ?? []
  return paged<unknown>('messages', page, input.ids_only ? listed.map(reference) : await read())

  async function read(): Promise<(ReadableMessage | Missed)[]> {
    const full = input.verbose && input.include_payload
    const maxBody = full ? share(listed.length) : null
    const ids = listed.map(({ id }) => id)
    return each(service, ids, async (id) => {
      const message = await service.get(mailbox(input.user_id, 'messages', id), { format: full ? 'full' : 'metadata' })
      const { body_note, ...rest } = readable(message, maxBody)
      return body_note ? { ...rest, body_note: `${body_note} Read all with GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID.` } : rest
    })
  }
}

async function fetchThread(
  input: { thread_id: string; page_token?: string | undefined; user_id: string },
  service: Service,
) {
  const start = pageStart(input.page_token)
  const thread = await service.get(mailbox(input.user_id, 'threads', input.thread_id), { format: 'full' })
  const all: any[] = thread?.messages ?? []
  const page = all.slice(start, start + THREAD_PAGE)
  const end = start + page.length
  return {
    thread_id: thread?.id ?? input.thread_id,
    messages_total: all.length,
    messages: page.map((message) => readable(message, Math.max(share(page.length), 4_000))),
    next_page_token: end < all.length ? String(end) : null,
  }
}

async function listThreads(
  input: {
    query?: string | undefined
    label_ids?: string[] | undefined
    max_results: number
    page_token?: string | undefined
    verbose: boolean
    include_spam_trash: boolean
    user_id: string
  },
  service: Service,
) {
  const page = await service.get(mailbox(input.user_id, 'threads'), listQuery(input))
  const listed: any[] = page?.threads ?? []
  if (!input.verbose)
    return paged(
      'threads',
      page,
      listed.map(({ id, snippet }) => ({ id, snippet })),
    )
  const ids: string[] = listed.map(({ id }) => id)
  const snippets = new Map(listed.map(({ id, snippet }) => [id, snippet]))
  const threads = await each(service, ids, async (id) => {
    const thread = await service.get(mailbox(input.user_id, 'threads', id), { format: 'metadata' })
    const messages: ReadableMessage[] = (thread?.messages ?? []).map((one: any) => readable(one, null))
    const people = [...new Set(messages.flatMap(({ from }) => from ?? []))]
    return {
      id,
      subject: messages[0]?.subject ?? '',
      from: people.slice(0, 20),
      date: messages.at(-1)?.date,
      messages: messages.length,
      labels: [...new Set(messages.flatMap(({ labels }) => labels))],
      snippet: snippets.get(id) ?? '',
    }
  })
  return paged('threads', page, threads)
}

function listQuery(input: {
  query?: string | undefined
  label_ids?: string[] | undefined
  max_results: number
  page_token?: string | undefined
  include_spam_trash: boolean
}) {
  return {
    q: input.query || undefined,
    labelIds: input.label_ids,
    maxResults: input.max_results,
    pageToken: input.page_token || undefined,
    includeSpamTrash: input.include_spam_trash || undefined,
  }
}

function paged<Item>(name: 'messages' | 'threads', page: any, items: readonly Item[]) {
  return {
    [name]: items,
    next_page_token: page?.nextPageToken ?? null,
    ...(page?.resultSizeEstimate !== undefined && { about_total: page.resultSizeEstimate }),
  }
}

/** A Gmail message in one of the API's formats, as readable as the format allows. */
export function inFormat(message: any, format: string) {
  return format === 'raw'
    ? { ...readable(message, null), raw: message.raw }
    : readable(message, format === 'full' ? ONE_BODY : null)
}

function reference({ id, threadId }: { id: string; threadId: string }) {
  return { id, thread_id: threadId }
}

/** Characters each of so many bodies may have. */
function share(count: number): number {
  return Math.min(20_000, Math.max(2_000, Math.floor(ALL_BODIES / Math.max(1, count))))
}

function pageStart(token: string | undefined): number {
  if (!token) return 0
  if (/^\d{1,6}$/.test(token)) return Number(token)
  throw new PatchbayError(
    'invalid_input',
    '"page_token" must be the next_page_token of the answer before, for the same thread.',
  )
}
