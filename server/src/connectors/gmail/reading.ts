import { mailboxes, written } from './addresses.ts'
import { base64Bytes } from './base64.ts'
import { textOf } from './charset.ts'
import { decodedWords } from './encoded-words.ts'
import { plainText } from './plain-text.ts'

/** A message as an agent needs it. */
export interface ReadableMessage {
  id: string
  thread_id: string
  from?: string
  to?: string[]
  cc?: string[]
  bcc?: string[]
  reply_to?: string[]
  subject?: string
  /** ISO 8601, when Gmail received or sent it. */
  date?: string
  labels: string[]
  snippet: string
  body?: string
  /** Present when the body was cut. */
  body_note?: string
  attachments?: ReadableAttachment[]
}

export interface ReadableAttachment {
  name: string
  type: string
  /** Bytes. */
  size: number
  /** Null for a message inside the message, which Gmail does not hand out as a file. */
  attachment_id: string | null
}

/** Gmail's message (any format but `raw`), its body cut to `maxBody` characters; null leaves body and files out. */
export function readable(message: any, maxBody: number | null): ReadableMessage {
  const root = message.payload
  return {
    id: message.id,
    thread_id: message.threadId,
    ...(root && headersOf(root)),
    ...isoDate(message),
    labels: message.labelIds ?? [],
    snippet: textOfSnippet(message.snippet ?? ''),
    ...(root && maxBody !== null && { ...cut(bodyText(root), maxBody), attachments: attachmentsOf(root) }),
  }
}

function headersOf(root: any) {
  const list = (name: string) => mailboxes(header(root, name)).map(written)
  const [from] = list('From')
  const [to, cc, bcc, replyTo] = ['To', 'Cc', 'Bcc', 'Reply-To'].map(list) as [string[], string[], string[], string[]]
  return {
    ...(from && { from }),
    to,
    ...(cc.length > 0 && { cc }),
    ...(bcc.length > 0 && { bcc }),
    ...(replyTo.length > 0 && { reply_to: replyTo }),
    subject: subjectOf(root),
  }
}

/** First header of that name, unfolded, as it came otherwise; names are compared without case. */
export function header(part: any, name: string): string | undefined {
  const wanted = name.toLowerCase()
  const found = part?.headers?.find((one: any) => String(one?.name).toLowerCase() === wanted)
  return typeof found?.value === 'string' ? found.value.replace(/\r?\n[ \t]?/g, ' ') : undefined
}

export function subjectOf(root: any): string {
  return decodedWords(header(root, 'Subject') ?? '').trim()
}

/** The body a person would read: plain text where the sender wrote some, else what the HTML says. */
export function bodyText(root: any): string {
  return bodyOf(root).text().trim()
}

/** The HTML of the body as the sender wrote it, if any. */
export function bodyHtml(root: any): string | undefined {
  return bodyOf(root).html
}

interface Body {
  /** Read only where it is wanted: HTML takes long to turn into text, and mostly has plain text beside it. */
  text: () => string
  html?: string
}

function bodyOf(part: any, depth = 0): Body {
  const type = mediaType(part)
  if (isFile(part) || depth > 50) return { text: () => '' }
  if (type === 'text/plain') return { text: () => leafText(part) }
  if (type === 'text/html') {
    const html = leafText(part)
    return { text: () => plainText(html), html }
  }
  if (!type.startsWith('multipart/')) return { text: () => '' }
  const inner: Body[] = (part.parts ?? []).map((one: any) => bodyOf(one, depth + 1))
  if (type === 'multipart/alternative') return preferred(inner)
  const html = inner.flatMap((one) => one.html ?? [])
  return {
    text: () =>
      inner
        .map(({ text }) => text().trim())
        .filter(Boolean)
        .join('\n\n'),
    ...(html.length > 0 && { html: html.join('\n') }),
  }
}

/** Alternatives say the same thing in different ways; a plain-text one that says nothing loses to the HTML. */
function preferred(alternatives: readonly Body[]): Body {
  const plain = alternatives.find(({ text, html }) => html === undefined && text().trim())
  const rich = alternatives.findLast(({ html }) => html !== undefined)
  return { text: (plain ?? rich)?.text ?? (() => ''), ...(rich?.html !== undefined && { html: rich.html }) }
}

function leafText(part: any): string {
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(header(part, 'Content-Type') ?? '')?.[1]
  return textOf(base64Bytes(part.body?.data ?? ''), charset)
}

/** Every file of the message, in order, those inside its parts included. */
export function fileParts(root: any): any[] {
  return filesBelow(root, 0)
}

function filesBelow(part: any, depth: number): any[] {
  if (depth > 50) return []
  if (isFile(part)) return [part]
  return (part.parts ?? []).flatMap((one: any) => filesBelow(one, depth + 1))
}

function isFile(part: any): boolean {
  const type = mediaType(part)
  if (type.startsWith('multipart/')) return false
  return Boolean(part.filename || part.body?.attachmentId) || type === 'message/rfc822' || !type.startsWith('text/')
}

function attachmentsOf(root: any): ReadableAttachment[] {
  return fileParts(root).map((part) => ({
    name: fileName(part),
    type: mediaType(part),
    size: Number(part.body?.size ?? 0),
    attachment_id: part.body?.attachmentId ?? null,
  }))
}

export function fileName(part: any): string {
  if (part.filename) return decodedWords(part.filename)
  return mediaType(part) === 'message/rfc822' ? 'message.eml' : 'unnamed'
}

export function mediaType(part: any): string {
  return String(part?.mimeType || 'text/plain').toLowerCase()
}

function isoDate(message: any): { date?: string } {
  const at = Number(message.internalDate)
  return message.internalDate !== undefined && Number.isFinite(at) ? { date: new Date(at).toISOString() } : {}
}

function cut(text: string, max: number): { body: string; body_note?: string } {
  if (text.length <= max) return { body: text }
  // A surrogate pair cut in two would not be text any more.
  const body = text.slice(0, max).replace(/[\ud800-\udbff]$/, '')
  return { body, body_note: `Cut after ${body.length} of ${text.length} characters.` }
}

/** Gmail escapes its snippets for HTML. */
function textOfSnippet(snippet: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }
  return snippet.replace(/&(?:#(\d{1,7})|(amp|lt|gt|quot|nbsp));/g, (whole, code?: string, name?: string) => {
    if (name) return named[name] as string
    const point = Number(code)
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole
  })
}
