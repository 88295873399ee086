import type { Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { isAddress, type Mailbox, mailboxes, sameAddress } from './addresses.ts'
import { mailbox } from './fields.ts'
import { header, subjectOf } from './reading.ts'

/** How a new message joins a conversation: Gmail wants the same subject, both headers and the thread (RFC 5322 §3.6.4). */
export interface Answer {
  to: Mailbox[]
  /** Everyone else who got the message answered; empty unless asked for. */
  cc: Mailbox[]
  subject: string
  inReplyTo?: string
  references: string[]
}

/** Message-IDs kept of a long conversation: its first one and the latest. */
const MAX_REFERENCES = 30

/** The answer to the latest message of a conversation that is not a draft. `own` is the mailbox's address. */
export async function answerIn(service: Service, user: string, thread: string, toEveryone = false): Promise<Answer> {
  const found = await service.get(mailbox(user, 'threads', thread), { format: 'metadata' })
  const messages: any[] = found?.messages ?? []
  const sent = messages.filter(({ labelIds }) => !labelIds?.includes('DRAFT'))
  const answered = sent.findLast(({ labelIds }) => !labelIds?.includes('TRASH')) ?? sent.at(-1)
  if (!answered) {
    throw new PatchbayError(
      'provider_rejected',
      'This conversation holds only drafts; there is no message to answer yet.',
    )
  }
  const own = user === 'me' ? service.account?.email : user
  return answerTo(answered, own, toEveryone)
}

/** Exported for its rules: whom an answer goes to, and what ties it to the message. */
export function answerTo(message: any, own: string | undefined, toEveryone: boolean): Answer {
  const root = message.payload
  const list = (name: string) => mailboxes(header(root, name)).filter(({ address }) => isAddress(address))
  const [author] = list('From')
  const mine = message.labelIds?.includes('SENT') || (author && sameAddress(author.address, own))
  const replyTo = list('Reply-To')
  // Answering oneself means writing once more to the same people.
  const to = mine ? list('To') : replyTo.length > 0 ? replyTo : author ? [author] : []
  const others = mine ? list('Cc') : [...list('To'), ...list('Cc')]
  const id = messageIds(header(root, 'Message-ID'))[0]
  const before = messageIds(header(root, 'References') ?? header(root, 'In-Reply-To'))
  return {
    to,
    cc: toEveryone ? without(others, [...to.map(({ address }) => address), ...(own ? [own] : [])]) : [],
    subject: prefixed('Re', subjectOf(root)),
    ...(id && { inReplyTo: id }),
    references: shortened([...before, ...(id ? [id] : [])]),
  }
}

/** `Re: …` or `Fwd: …`, once. */
export function prefixed(prefix: 'Re' | 'Fwd', subject: string): string {
  const there = prefix === 'Re' ? /^re\s*:/i : /^fwd?\s*:/i
  return there.test(subject) ? subject : `${prefix}: ${subject}`.trim()
}

/** The `<…>` ids of a References, In-Reply-To or Message-ID header. */
export function messageIds(text: string | undefined): string[] {
  return text?.match(/<[^<>\s]+>/g) ?? []
}

function shortened(ids: readonly string[]): string[] {
  const unique = [...new Set(ids)]
  return unique.length <= MAX_REFERENCES
    ? unique
    : [unique[0] as string, ...unique.slice(unique.length - MAX_REFERENCES + 1)]
}

function without(list: readonly Mailbox[], taken: readonly string[]): Mailbox[] {
  const seen = new Set(taken.map((address) => address.toLowerCase()))
  return list.filter(({ address }) => {
    const key = address.toLowerCase()
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
