import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type MailComposer from 'nodemailer/lib/mail-composer'
import type { MailComposerAttachment } from 'nodemailer/lib/mail-composer'
import { PatchbayError } from '../../core/errors.ts'
import type { Mailbox } from './addresses.ts'
import { base64Bytes } from './base64.ts'
import type { File } from './fields.ts'
import { plainText } from './plain-text.ts'

/** Loaded with the first mail sent, to keep the start quick and an idle gateway small. */
const load = createRequire(import.meta.url)

/** Gmail takes messages whose bodies and files come to this much (25 MB), counted before their encoding. */
export const MAX_MESSAGE_BYTES = 25 * 1024 * 1024

export interface Outgoing {
  /** Left out: Gmail puts the account's default sender, with its display name. */
  from?: Mailbox | undefined
  to?: readonly Mailbox[] | undefined
  cc?: readonly Mailbox[] | undefined
  bcc?: readonly Mailbox[] | undefined
  subject?: string | undefined
  text?: string | undefined
  html?: string | undefined
  files?: readonly OutgoingFile[] | undefined
  /** Message-ID of the message answered, and of the conversation before it, oldest first. */
  inReplyTo?: string | undefined
  references?: readonly string[] | undefined
  /** Domain of the Message-ID; Gmail replaces the whole id when it sends. */
  domain?: string | undefined
}

export interface OutgoingFile {
  name: string
  type: string
  data: Buffer
  /** Of a picture that the HTML shows in place. */
  contentId?: string | undefined
}

/** The message as Internet mail (RFC 5322, MIME) with CRLF lines. Throws `too_large`. */
export async function composed(message: Outgoing): Promise<Buffer> {
  checkSize(message)
  const { references = [], inReplyTo } = message
  const Composer = load('nodemailer/lib/mail-composer') as typeof MailComposer
  const mail = new Composer({
    ...(message.from && { from: message.from }),
    to: [...(message.to ?? [])],
    cc: [...(message.cc ?? [])],
    bcc: [...(message.bcc ?? [])],
    ...(message.subject && { subject: message.subject }),
    // An empty string would leave the part out and make a lone file the whole message.
    text: message.text || Buffer.alloc(0),
    ...(message.html !== undefined && { html: message.html }),
    attachments: (message.files ?? []).map(attachmentOf),
    ...(inReplyTo && { inReplyTo }),
    ...(references.length > 0 && { references: [...references] }),
    // Left to itself the library would write this machine's name into the header.
    messageId: `<${randomUUID()}@${message.domain ?? 'gmail.com'}>`,
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile()
  // Gmail reads the recipients from the headers and takes Bcc out itself.
  mail.keepBcc = true
  return mail.build()
}

/** What a person wrote, as the bodies to send: HTML always comes with a text of it. */
export function bodies(body: string, isHtml: boolean): { text: string; html?: string } {
  return isHtml ? { text: plainText(body), html: body } : { text: body }
}

/** The files of a tool's input, decoded. */
export function files(attachment: File | readonly File[] | undefined): OutgoingFile[] {
  const given = attachment === undefined ? [] : [attachment].flat()
  return given.map(({ name, mimetype, content }) => ({ name, type: mimetype, data: base64Bytes(content) }))
}

function checkSize({ text = '', html = '', files = [] }: Outgoing): void {
  const total =
    Buffer.byteLength(text) + Buffer.byteLength(html) + files.reduce((sum, { data }) => sum + data.length, 0)
  if (total <= MAX_MESSAGE_BYTES) return
  const size = (total / 1024 / 1024).toFixed(1)
  throw new PatchbayError(
    'too_large',
    `The message comes to ${size} MB; Gmail takes 25 MB, attachments included. Send fewer or smaller files, or a link to them.`,
    { details: { bytes: total, limit: MAX_MESSAGE_BYTES } },
  )
}

function attachmentOf({ name, type, data, contentId }: OutgoingFile): MailComposerAttachment {
  return {
    filename: name,
    contentType: type,
    content: data,
    ...(contentId && { cid: contentId, contentDisposition: 'inline' }),
  }
}
