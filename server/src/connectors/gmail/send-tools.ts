import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { mailboxes, written } from './addresses.ts'
import { bodies, composed, files, type Outgoing } from './compose.ts'
import { answerIn } from './conversation.ts'
import { send } from './deliver.ts'
import {
  address,
  attachment,
  bcc,
  body,
  cc,
  extraRecipients,
  isHtml,
  messageId,
  recipient,
  subject,
  threadId,
  userId,
} from './fields.ts'
import { forwarded } from './forward.ts'
import { scopes, toAnswer, toSend } from './scopes.ts'

export const sendTools = defineTools(scopes, {
  GMAIL_SEND_EMAIL: {
    title: 'Send an email',
    description:
      'Sends a new email from the connected mailbox at once; it cannot be called back. To answer a conversation use GMAIL_REPLY_TO_THREAD, to let the user look first GMAIL_CREATE_EMAIL_DRAFT. Needs at least one recipient, and a subject or body. Answers the sent message’s id and thread_id.',
    effect: 'write',
    scopes: toSend,
    input: z
      .object({
        recipient_email: recipient.optional(),
        extra_recipients: extraRecipients,
        cc,
        bcc,
        subject: subject.optional().describe('Subject line'),
        body: body.optional(),
        is_html: isHtml,
        attachment,
        from_email: address.optional().describe('Another sender address of this mailbox, from GMAIL_LIST_SEND_AS'),
        user_id: userId,
      })
      .refine((given) => [given.recipient_email, given.extra_recipients, given.cc, given.bcc].flat().some(Boolean), {
        path: ['recipient_email'],
        message: 'needs an address here, or in extra_recipients, cc or bcc',
      })
      .refine((given) => given.subject || given.body || given.attachment, {
        path: ['body'],
        message: 'give a subject, a body or an attachment: the message would be empty',
      }),
    paramAliases: { to: 'recipient_email', attachments: 'attachment' },
    run: sendEmail,
  },

  GMAIL_REPLY_TO_THREAD: {
    title: 'Reply in a conversation',
    description:
      'Answers the latest message of a conversation, in that conversation, with “Re:” and its subject. Goes to whoever wrote it (or asked for answers elsewhere); `reply_all` adds everyone else who got it; `recipient_email` sends it to somebody else instead. Read the conversation first with GMAIL_FETCH_MESSAGE_BY_THREAD_ID. Answers the sent message’s id and to whom it went.',
    effect: 'write',
    scopes: toAnswer,
    input: z.object({
      thread_id: threadId,
      message_body: body.default(''),
      is_html: isHtml,
      recipient_email: recipient.optional().describe('Instead of the one answered; leave out for a normal reply'),
      extra_recipients: extraRecipients,
      reply_all: z.boolean().default(false).describe('Also to everyone else who got the message'),
      cc,
      bcc,
      attachment,
      user_id: userId,
    }),
    paramAliases: { body: 'message_body', to: 'recipient_email', attachments: 'attachment' },
    run: reply,
  },

  GMAIL_FORWARD_MESSAGE: {
    title: 'Forward a message',
    description:
      'Passes one message on to other people, its attachments included, with your text above it. `message_id` comes from GMAIL_FETCH_EMAILS. Answers the sent message’s id; `left_out` names attachments that Gmail could not hand over.',
    effect: 'write',
    scopes: toAnswer,
    input: z.object({
      message_id: messageId,
      recipients: z.union([z.array(address).min(1).max(500), address]).describe('Addresses to forward to'),
      additional_text: z.string().optional().describe('Your own words above the forwarded message, as plain text'),
      cc,
      bcc,
      user_id: userId,
    }),
    paramAliases: { to: 'recipients', recipient_email: 'recipients' },
    run: forward,
  },
})

async function sendEmail(
  input: {
    recipient_email?: string | undefined
    extra_recipients?: string[] | undefined
    cc?: string[] | undefined
    bcc?: string[] | undefined
    subject?: string | undefined
    body?: string | undefined
    is_html: boolean
    attachment?: Parameters<typeof files>[0]
    from_email?: string | undefined
    user_id: string
  },
  service: Service,
) {
  return sent(service, input.user_id, {
    from: mailboxes(input.from_email)[0],
    to: all(input.recipient_email, input.extra_recipients),
    cc: all(input.cc),
    bcc: all(input.bcc),
    subject: input.subject,
    ...bodies(input.body ?? '', input.is_html),
    files: files(input.attachment),
  })
}

async function reply(
  input: {
    thread_id: string
    message_body: string
    is_html: boolean
    recipient_email?: string | undefined
    extra_recipients?: string[] | undefined
    reply_all: boolean
    cc?: string[] | undefined
    bcc?: string[] | undefined
    attachment?: Parameters<typeof files>[0]
    user_id: string
  },
  service: Service,
) {
  const answer = await answerIn(service, input.user_id, input.thread_id, input.reply_all)
  const to = [...(input.recipient_email ? all(input.recipient_email) : answer.to), ...all(input.extra_recipients)]
  if (to.length === 0) {
    throw new PatchbayError(
      'invalid_input',
      'The message answered names no usable sender; say whom to write to in "recipient_email".',
    )
  }
  const { subject, inReplyTo, references } = answer
  return sent(
    service,
    input.user_id,
    {
      to,
      cc: [...answer.cc, ...all(input.cc)],
      bcc: all(input.bcc),
      subject,
      inReplyTo,
      references,
      ...bodies(input.message_body, input.is_html),
      files: files(input.attachment),
    },
    input.thread_id,
  )
}

async function forward(
  input: {
    message_id: string
    recipients: string | string[]
    additional_text?: string | undefined
    cc?: string[] | undefined
    bcc?: string[] | undefined
    user_id: string
  },
  service: Service,
) {
  const { leftOut, ...content } = await forwarded(service, input.user_id, input.message_id, input.additional_text ?? '')
  const answer = await sent(service, input.user_id, {
    to: all(input.recipients),
    cc: all(input.cc),
    bcc: all(input.bcc),
    ...content,
  })
  return leftOut.length > 0 ? { ...answer, left_out: leftOut } : answer
}

async function sent(service: Service, user: string, message: Outgoing, thread?: string) {
  const raw = await composed({ ...message, domain: domainOf(message.from?.address ?? service.account?.email) })
  const answer = await send(service, user, raw, thread)
  return {
    id: answer.id,
    thread_id: answer.threadId,
    labels: answer.labelIds ?? [],
    to: (message.to ?? []).map(written),
    ...(message.cc && message.cc.length > 0 && { cc: message.cc.map(written) }),
    subject: message.subject ?? '',
  }
}

/** Addresses as given in a tool's input, already checked one by one. */
export function all(...given: (string | readonly string[] | undefined)[]) {
  return given.flat().flatMap((text) => mailboxes(text))
}

/** The part of an address behind the @. */
export function domainOf(text: string | undefined): string | undefined {
  return text?.slice(text.lastIndexOf('@') + 1)
}
