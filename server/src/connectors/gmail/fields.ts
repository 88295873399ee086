import { z } from 'zod'
import type { Path } from '../../core/connector.ts'
import { addressMistake } from './addresses.ts'
import { base64Mistake } from './base64.ts'

/** What several tools ask for, said once. */

const oneLine = /^[^\u0000-\u001f\u007f\u2028\u2029]*$/
const ONE_LINE = 'must be a single line without control characters (a line break here would add mail headers)'

export const userId = z
  .string()
  .regex(/^(me|[^\s@/?#]+@[^\s@/?#]+)$/, 'must be "me" or the mailbox’s own address')
  .default('me')
  .describe('Leave out: "me" is the connected mailbox')

const id = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^(?!\.{1,2}$)[^\s/\\?#\u0000-\u001f\u007f]+$/, 'must be an id exactly as Gmail gave it')

export const messageId = id.describe('Message id, `id` in GMAIL_FETCH_EMAILS (not the Message-ID header)')
export const threadId = id.describe('Conversation id, `thread_id` in GMAIL_FETCH_EMAILS or `id` in GMAIL_LIST_THREADS')
export const draftId = id.describe('Draft id from GMAIL_LIST_DRAFTS or GMAIL_CREATE_EMAIL_DRAFT (not the message’s id)')
export const labelId = id.describe('Label id from GMAIL_LIST_LABELS, such as Label_12')
export const attachmentId = id.describe('`attachment_id` from a fetched message; take it from a recent fetch')

export const messageIds = z.array(id).min(1).max(1000).describe('Message ids, at most 1000')

export const labelIds = z
  .array(id)
  .max(100)
  .describe(
    'Label ids (not names) from GMAIL_LIST_LABELS. System ones: INBOX, UNREAD, STARRED, IMPORTANT, SPAM, TRASH, CATEGORY_PERSONAL…',
  )

/** Composio sends "" for the first page. */
export const pageToken = z.string().max(2048).optional().describe('`next_page_token` of the answer before')

export const address = z
  .string()
  .max(1000)
  .superRefine((text, context) => {
    const mistake = addressMistake(text)
    if (mistake) context.addIssue({ code: 'custom', message: mistake })
  })

const addresses = z.array(address).max(500)

export const recipient = address.describe('One address: ann@example.com or Ann Lee <ann@example.com>')
export const extraRecipients = addresses.optional().describe('Further addresses for To')
export const cc = addresses.optional().describe('Addresses for Cc')
export const bcc = addresses.optional().describe('Addresses for Bcc; other recipients do not see them')

export const subject = z.string().max(2000).regex(oneLine, ONE_LINE)

export const body = z.string().describe('Text of the message; HTML when `is_html` is true')
export const isHtml = z.boolean().default(false).describe('`body` is HTML; a plain-text version is added')

const file = z.object({
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(oneLine, ONE_LINE)
    .regex(/^[^/\\]+$/, 'must be a file name without folders')
    .describe('File name with its ending, such as report.pdf'),
  mimetype: z
    .string()
    .max(127)
    .regex(/^(?!multipart\/)[\w.+-]+\/[\w.+-]+$/i, 'must be a media type such as application/pdf')
    .default('application/octet-stream')
    .describe('Media type, such as application/pdf'),
  content: z
    .string()
    .superRefine((text, context) => {
      const mistake = base64Mistake(text)
      if (mistake) context.addIssue({ code: 'custom', message: mistake })
    })
    .describe('The file’s bytes in base64'),
})

export type File = z.output<typeof file>

export const attachment = z
  .union([file, z.array(file).max(50)])
  .optional()
  .describe('A file to attach, or a list of them. All of a message together: at most 25 MB')

/** A path below a mailbox, every part encoded. */
export function mailbox(user: string, ...parts: string[]): Path {
  return `/gmail/v1/users/${[user, ...parts].map(encodeURIComponent).join('/')}`
}
