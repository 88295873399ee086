import { randomUUID } from 'node:crypto'
import type { Service } from '../../core/connector.ts'
import { mailbox } from './fields.ts'

/**
 * Gmail refuses JSON bodies from about 1 MB on; larger messages go to the upload address.
 * https://developers.google.com/workspace/gmail/api/guides/uploads
 */
const MAX_RAW_IN_JSON = 700 * 1024

/** Sends a composed message; `thread` puts it into a conversation. Answers Gmail's message. */
export function send(service: Service, user: string, raw: Buffer, thread?: string): Promise<any> {
  return deliver(service, 'post', mailbox(user, 'messages', 'send'), raw, (message) => message, thread)
}

/** Answers Gmail's draft. */
export function createDraft(service: Service, user: string, raw: Buffer, thread?: string): Promise<any> {
  return deliver(service, 'post', mailbox(user, 'drafts'), raw, (message) => ({ message }), thread)
}

/** Replaces a draft's message. Answers Gmail's draft. */
export function replaceDraft(service: Service, user: string, id: string, raw: Buffer, thread?: string): Promise<any> {
  return deliver(service, 'put', mailbox(user, 'drafts', id), raw, (message) => ({ message }), thread)
}

function deliver(
  service: Service,
  method: 'post' | 'put',
  path: `/${string}`,
  raw: Buffer,
  wrapped: (message: { raw?: string; threadId?: string }) => unknown,
  thread: string | undefined,
): Promise<any> {
  const where = thread ? { threadId: thread } : {}
  if (raw.length <= MAX_RAW_IN_JSON) return service[method](path, wrapped({ ...where, raw: raw.toString('base64url') }))
  const { type, body } = related(wrapped(where), raw)
  return service[method](`/upload${path}`, body, {
    query: { uploadType: 'multipart' },
    headers: { 'content-type': type },
  })
}

/** Resource and message in one body (RFC 2387). */
function related(resource: unknown, raw: Buffer): { type: string; body: Buffer } {
  const boundary = `=_${randomUUID()}`
  const body = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(resource)}\r\n`,
    ),
    Buffer.from(`--${boundary}\r\ncontent-type: message/rfc822\r\n\r\n`),
    raw,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return { type: `multipart/related; boundary="${boundary}"`, body }
}
