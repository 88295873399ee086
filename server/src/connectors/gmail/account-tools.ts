import { createRequire } from 'node:module'
import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { base64Bytes } from './base64.ts'
import { attachmentId, labelId, mailbox, messageId, pageToken, userId } from './fields.ts'
import { COMPOSE, FULL, MODIFY, READONLY, scopes, toRead } from './scopes.ts'

/** Loaded with the first attachment: its table of file types is large. */
const load = createRequire(import.meta.url)

/** Largest attachment handed to an agent. */
const MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024

export const accountTools = defineTools(scopes, {
  GMAIL_GET_ATTACHMENT: {
    title: 'Download an attachment',
    description:
      'Downloads one attachment (up to 10 MB) as base64 with its name, type and size. First fetch the message: its `attachments` list has the `attachment_id` and name.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z.object({
      message_id: messageId,
      attachment_id: attachmentId,
      file_name: z
        .string()
        .max(255)
        .default('attachment')
        .describe('Its `name` in the list; decides the type reported'),
      user_id: userId,
    }),
    run: getAttachment,
  },

  GMAIL_GET_PROFILE: {
    title: 'Mailbox profile',
    description:
      'Answers the mailbox’s address, how many messages and conversations it holds, and the `history_id` to start GMAIL_LIST_HISTORY from.',
    effect: 'read',
    idempotent: true,
    scopes: [READONLY, COMPOSE, MODIFY, FULL],
    input: z.object({ user_id: userId }),
    run: 'GET /gmail/v1/users/{user_id}/profile',
    shape: (profile) => ({
      email: profile.emailAddress,
      messages_total: profile.messagesTotal,
      threads_total: profile.threadsTotal,
      history_id: profile.historyId,
    }),
  },

  GMAIL_LIST_SEND_AS: {
    title: 'Sender addresses',
    description:
      'Lists the addresses this mailbox may send from, with display name, signature and which is the default. One of them may be `from_email` in GMAIL_SEND_EMAIL.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z.object({ user_id: userId }),
    run: 'GET /gmail/v1/users/{user_id}/settings/sendAs',
    shape: (answer) => ({
      send_as: (answer?.sendAs ?? []).map((one: any) => ({
        email: one.sendAsEmail,
        name: one.displayName || undefined,
        reply_to: one.replyToAddress || undefined,
        signature_html: one.signature || undefined,
        is_default: one.isDefault === true,
        is_primary: one.isPrimary === true,
        verified: one.isPrimary === true || one.verificationStatus === 'accepted',
      })),
    }),
  },

  GMAIL_LIST_HISTORY: {
    title: 'Changes since',
    description:
      'Lists what changed in the mailbox since a `history_id` (from GMAIL_GET_PROFILE or an earlier answer): messages added or deleted, labels added or removed. Use it to catch up instead of searching again. History is kept for about a week; an older id answers an error that it was not found: then search instead.',
    effect: 'read',
    idempotent: true,
    scopes: toRead,
    input: z.object({
      start_history_id: z
        .string()
        .regex(/^\d{1,40}$/, 'must be a history id: digits only')
        .describe('Changes after this'),
      label_id: labelId.optional().describe('Only messages with this label'),
      history_types: z
        .array(z.enum(['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved']))
        .optional()
        .describe('Only these kinds of change'),
      max_results: z.int().min(1).max(500).default(100).describe('Records per page, up to 500'),
      page_token: pageToken,
      user_id: userId,
    }),
    run: listHistory,
  },
})

async function getAttachment(
  input: { message_id: string; attachment_id: string; file_name: string; user_id: string },
  service: Service,
) {
  const path = mailbox(input.user_id, 'messages', input.message_id, 'attachments', input.attachment_id)
  const answer = await service.get(path)
  const data = base64Bytes(answer?.data ?? '')
  if (data.length > MAX_ATTACHMENT_BYTES) {
    const size = (data.length / 1024 / 1024).toFixed(1)
    throw new PatchbayError('too_large', `The attachment is ${size} MB; at most 10 MB can be handed over.`, {
      details: { bytes: data.length, limit: MAX_ATTACHMENT_BYTES },
    })
  }
  return {
    name: input.file_name,
    mimetype: (load('nodemailer/lib/mime-funcs') as typeof import('nodemailer/lib/mime-funcs')).detectMimeType(
      /\.([^.]+)$/.exec(input.file_name)?.[1] ?? false,
    ),
    size: data.length,
    content: data.toString('base64'),
  }
}

async function listHistory(
  input: {
    start_history_id: string
    label_id?: string | undefined
    history_types?: string[] | undefined
    max_results: number
    page_token?: string | undefined
    user_id: string
  },
  service: Service,
) {
  const page = await service.get(mailbox(input.user_id, 'history'), {
    startHistoryId: input.start_history_id,
    labelId: input.label_id,
    historyTypes: input.history_types,
    maxResults: input.max_results,
    pageToken: input.page_token || undefined,
  })
  const changes = (page?.history ?? []).flatMap((record: any) => [
    ...changed('message_added', record.messagesAdded),
    ...changed('message_deleted', record.messagesDeleted),
    ...changed('labels_added', record.labelsAdded),
    ...changed('labels_removed', record.labelsRemoved),
  ])
  return { changes, history_id: page?.historyId, next_page_token: page?.nextPageToken ?? null }
}

function changed(change: string, entries: any[] = []) {
  return entries.map(({ message, labelIds }) => ({
    change,
    message_id: message?.id,
    thread_id: message?.threadId,
    ...(labelIds && { labels: labelIds }),
  }))
}
