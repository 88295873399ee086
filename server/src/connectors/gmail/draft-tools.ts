import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { mailboxes } from './addresses.ts'
import { bodies, composed, files, type Outgoing } from './compose.ts'
import { answerIn, messageIds } from './conversation.ts'
import { createDraft, replaceDraft } from './deliver.ts'
import { each } from './each.ts'
import {
  attachment,
  bcc,
  body,
  cc,
  draftId,
  extraRecipients,
  isHtml,
  mailbox,
  pageToken,
  recipient,
  subject,
  threadId,
  userId,
} from './fields.ts'
import { filesOf } from './forward.ts'
import { inFormat } from './mail-tools.ts'
import { bodyHtml, bodyText, header, readable, subjectOf } from './reading.ts'
import { READONLY, scopes, toCompose, toReadDrafts } from './scopes.ts'
import { all, domainOf } from './send-tools.ts'

export const draftTools = defineTools(scopes, {
  GMAIL_LIST_DRAFTS: {
    title: 'List drafts',
    description:
      'Lists saved drafts, newest first: the draft’s `id` (for the draft tools), message_id and thread_id; with `verbose` the drafts themselves. More: repeat with `page_token`.',
    effect: 'read',
    idempotent: true,
    scopes: toReadDrafts,
    input: z
      .object({
        max_results: z.int().min(1).max(500).default(10).describe('Per page: up to 500, or up to 100 with `verbose`'),
        page_token: pageToken,
        verbose: z.boolean().default(false).describe('Add recipients, subject and body'),
        user_id: userId,
      })
      .refine(({ verbose, max_results }) => !verbose || max_results <= 100, {
        path: ['max_results'],
        message: 'must be at most 100 with verbose',
      }),
    run: listDrafts,
  },

  GMAIL_GET_DRAFT: {
    title: 'Read a draft',
    description: 'Reads one draft: recipients, subject, body as text, attachments. Ids come from GMAIL_LIST_DRAFTS.',
    effect: 'read',
    idempotent: true,
    scopes: toReadDrafts,
    input: z.object({
      draft_id: draftId,
      format: z
        .enum(['full', 'metadata', 'minimal', 'raw'])
        .default('full')
        .describe('As in GMAIL_FETCH_MESSAGE_BY_MESSAGE_ID'),
      user_id: userId,
    }),
    paramAliases: { id: 'draft_id' },
    run: async ({ draft_id, format, user_id }, service) => {
      const draft = await service.get(mailbox(user_id, 'drafts', draft_id), { format })
      return { id: draft.id, message: inFormat(draft.message ?? {}, format) }
    },
  },

  GMAIL_CREATE_EMAIL_DRAFT: {
    title: 'Write a draft',
    description:
      'Saves an unsent email for the user to look at, or for GMAIL_SEND_DRAFT. With `thread_id` it becomes an answer in that conversation: recipient and subject then come from the message answered unless given. Answers the draft’s `id`.',
    effect: 'write',
    scopes: toCompose,
    input: z.object({
      recipient_email: recipient.optional(),
      extra_recipients: extraRecipients,
      cc,
      bcc,
      subject: subject
        .optional()
        .describe('Subject line; leave out with `thread_id`, or the answer starts a new conversation'),
      body: body.optional(),
      is_html: isHtml,
      thread_id: threadId.optional().describe('Conversation to answer in; needs permission to read mail'),
      attachment,
      user_id: userId,
    }),
    paramAliases: { to: 'recipient_email', attachments: 'attachment' },
    run: writeDraft,
  },

  GMAIL_UPDATE_DRAFT: {
    title: 'Change a draft',
    description:
      'Changes a saved draft. What is left out stays as it was; an empty `attachment` list takes the attachments off. Answers the draft’s `id`; its message gets a new id.',
    effect: 'write',
    idempotent: true,
    scopes: toCompose,
    input: z.object({
      draft_id: draftId,
      recipient_email: recipient.optional(),
      extra_recipients: extraRecipients,
      cc,
      bcc,
      subject: subject.optional().describe('New subject line'),
      body: body.optional(),
      is_html: isHtml,
      thread_id: threadId.optional().describe('Another conversation to put it in'),
      attachment,
      user_id: userId,
    }),
    paramAliases: { id: 'draft_id', to: 'recipient_email', attachments: 'attachment' },
    run: updateDraft,
  },

  GMAIL_SEND_DRAFT: {
    title: 'Send a draft',
    description:
      'Sends a saved draft as it is; the draft is gone afterwards. Answers the sent message’s id and thread_id.',
    effect: 'write',
    scopes: toCompose,
    input: z.object({ draft_id: draftId, user_id: userId }),
    paramAliases: { id: 'draft_id' },
    run: async ({ draft_id, user_id }, service) => {
      const message = await service.post(mailbox(user_id, 'drafts', 'send'), { id: draft_id })
      return { id: message.id, thread_id: message.threadId, labels: message.labelIds ?? [] }
    },
  },

  GMAIL_DELETE_DRAFT: {
    title: 'Delete a draft',
    description: 'Deletes a draft for good; it does not go to the bin.',
    effect: 'destructive',
    scopes: toCompose,
    input: z.object({ draft_id: draftId, user_id: userId }),
    paramAliases: { id: 'draft_id' },
    run: async ({ draft_id, user_id }, service) => {
      await service.delete(mailbox(user_id, 'drafts', draft_id))
      return { deleted: true, draft_id }
    },
  },
})

interface Written {
  recipient_email?: string | undefined
  extra_recipients?: string[] | undefined
  cc?: string[] | undefined
  bcc?: string[] | undefined
  subject?: string | undefined
  body?: string | undefined
  is_html: boolean
  thread_id?: string | undefined
  attachment?: Parameters<typeof files>[0]
  user_id: string
}

async function listDrafts(
  input: { max_results: number; page_token?: string | undefined; verbose: boolean; user_id: string },
  service: Service,
) {
  const page = await service.get(mailbox(input.user_id, 'drafts'), {
    maxResults: input.max_results,
    pageToken: input.page_token || undefined,
  })
  const listed: any[] = page?.drafts ?? []
  const drafts = input.verbose
    ? await each(
        service,
        listed.map(({ id }) => String(id)),
        async (id) => {
          const draft = await service.get(mailbox(input.user_id, 'drafts', id), { format: 'full' })
          return { id, message: readable(draft.message ?? {}, 4_000) }
        },
      )
    : listed.map(({ id, message }) => ({ id, message_id: message?.id, thread_id: message?.threadId }))
  return { drafts, next_page_token: page?.nextPageToken ?? null }
}

async function writeDraft(input: Written, service: Service) {
  const { thread_id } = input
  const answer = thread_id ? await reading(() => answerIn(service, input.user_id, thread_id)) : undefined
  const given = all(input.recipient_email, input.extra_recipients)
  const raw = await composed({
    to: given.length > 0 ? given : answer?.to,
    cc: all(input.cc),
    bcc: all(input.bcc),
    subject: input.subject ?? answer?.subject,
    inReplyTo: answer?.inReplyTo,
    references: answer?.references,
    ...bodies(input.body ?? '', input.is_html),
    files: files(input.attachment),
    domain: domainOf(service.account?.email),
  })
  return saved(await createDraft(service, input.user_id, raw, input.thread_id))
}

async function updateDraft(input: Written & { draft_id: string }, service: Service) {
  const before = await service.get(mailbox(input.user_id, 'drafts', input.draft_id), { format: 'full' })
  const root = before?.message?.payload ?? {}
  const kept = keptOf(root)
  const thread = input.thread_id ?? before?.message?.threadId
  const moved = input.thread_id && input.thread_id !== before?.message?.threadId
  const answer = moved ? await reading(() => answerIn(service, input.user_id, thread)) : undefined
  const attached = input.attachment
    ? { files: files(input.attachment), leftOut: [] }
    : await reading(() => filesOf(service, input.user_id, before?.message?.id, root, kept.html))
  const given = all(input.recipient_email, input.extra_recipients)
  const raw = await composed({
    ...kept,
    ...(answer && { subject: answer.subject, inReplyTo: answer.inReplyTo, references: answer.references }),
    ...(given.length > 0 && { to: given }),
    ...(input.cc && { cc: all(input.cc) }),
    ...(input.bcc && { bcc: all(input.bcc) }),
    ...(input.subject !== undefined && { subject: input.subject }),
    ...(input.body !== undefined && { html: undefined, ...bodies(input.body, input.is_html) }),
    files: attached.files,
    domain: domainOf(service.account?.email),
  })
  const draft = saved(await replaceDraft(service, input.user_id, input.draft_id, raw, thread))
  return attached.leftOut.length > 0 ? { ...draft, left_out: attached.leftOut } : draft
}

/** Writing drafts does not include reading mail; where a draft needs that, the refusal should say so. */
async function reading<Found>(read: () => Promise<Found>): Promise<Found> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'missing_scope') throw error
    throw new PatchbayError(
      'missing_scope',
      'An answer in a conversation, or a draft with attachments, needs permission to read mail, which this connection lacks. Connect again with that permission, or write a new draft without thread_id.',
      { cause: error, providerStatus: 403, details: { ...error.details, scope: READONLY } },
    )
  }
}

/** What a draft says now, as something to compose again. */
function keptOf(root: any): Outgoing {
  const [from] = mailboxes(header(root, 'From'))
  return {
    from,
    to: mailboxes(header(root, 'To')),
    cc: mailboxes(header(root, 'Cc')),
    bcc: mailboxes(header(root, 'Bcc')),
    subject: subjectOf(root),
    text: bodyText(root),
    html: bodyHtml(root),
    inReplyTo: messageIds(header(root, 'In-Reply-To'))[0],
    references: messageIds(header(root, 'References')),
  }
}

function saved(draft: any) {
  return { id: draft.id, message_id: draft.message?.id, thread_id: draft.message?.threadId }
}
