import type { Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { base64Bytes } from './base64.ts'
import { MAX_MESSAGE_BYTES, type OutgoingFile } from './compose.ts'
import { prefixed } from './conversation.ts'
import { mailbox } from './fields.ts'
import { bodyHtml, bodyText, fileName, fileParts, header, mediaType, readable, subjectOf } from './reading.ts'

export interface Forwarded {
  subject: string
  text: string
  html?: string
  files: OutgoingFile[]
  /** Names of files that Gmail does not hand out (messages inside the message). */
  leftOut: string[]
}

/** A message as something to pass on: who wrote it on top, its body, its files. Throws `too_large`. */
export async function forwarded(service: Service, user: string, id: string, addition: string): Promise<Forwarded> {
  const message = await service.get(mailbox(user, 'messages', id), { format: 'full' })
  const root = message?.payload ?? {}
  const html = bodyHtml(root)
  const { files, leftOut } = await filesOf(service, user, id, root, html)
  const about = headLines(message)
  const intro = addition.trim()
  return {
    subject: prefixed('Fwd', subjectOf(root)),
    text: [intro, about.join('\n'), bodyText(root)].filter(Boolean).join('\n\n'),
    ...(html !== undefined && {
      html: `${intro ? `<div>${asHtml(intro)}</div><br>` : ''}<div>${about.map(asHtml).join('<br>')}</div><br>${html}`,
    }),
    files,
    leftOut,
  }
}

function headLines(message: any): string[] {
  const { from, to = [], cc = [], subject = '', date } = readable(message, null)
  return [
    '---------- Forwarded message ---------',
    `From: ${from ?? ''}`,
    `Date: ${header(message.payload, 'Date') ?? date ?? ''}`,
    `Subject: ${subject}`,
    `To: ${to.join(', ')}`,
    ...(cc.length > 0 ? [`Cc: ${cc.join(', ')}`] : []),
  ]
}

/** Every file of a message, fetched, in order. Throws `too_large` before fetching what Gmail could not send. */
export async function filesOf(service: Service, user: string, id: string, root: any, html: string | undefined) {
  const parts = fileParts(root)
  const total = parts.reduce((sum, part) => sum + Number(part.body?.size ?? 0), 0)
  if (total > MAX_MESSAGE_BYTES) {
    const size = (total / 1024 / 1024).toFixed(1)
    throw new PatchbayError('too_large', `The attachments come to ${size} MB; Gmail sends at most 25 MB.`, {
      details: { bytes: total, limit: MAX_MESSAGE_BYTES },
    })
  }
  const files: OutgoingFile[] = []
  const leftOut: string[] = []
  for (const part of parts) {
    const data = await bytesOf(service, user, id, part)
    if (data) files.push({ name: fileName(part), type: safeType(part), data, contentId: shownInPlace(part, html) })
    else leftOut.push(fileName(part))
  }
  return { files, leftOut }
}

async function bytesOf(service: Service, user: string, id: string, part: any): Promise<Buffer | undefined> {
  if (part.body?.data !== undefined) return base64Bytes(part.body.data)
  if (!part.body?.attachmentId) return undefined
  const answer = await service.get(mailbox(user, 'messages', id, 'attachments', part.body.attachmentId))
  return base64Bytes(answer?.data ?? '')
}

function safeType(part: any): string {
  const type = mediaType(part)
  return /^(?!multipart\/)[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream'
}

function shownInPlace(part: any, html: string | undefined): string | undefined {
  const contentId = /^<?([^<>\s]+)>?$/.exec(header(part, 'Content-ID')?.trim() ?? '')?.[1]
  return contentId && html?.includes(`cid:${contentId}`) ? contentId : undefined
}

function asHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character] as string).replace(/\r?\n/g, '<br>')
}
