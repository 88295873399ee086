import addressparser from 'nodemailer/lib/addressparser'
import { decodedWords } from './encoded-words.ts'

export interface Mailbox {
  /** '' when there is none. */
  name: string
  address: string
}

const ATOM = '[^\\s@<>()\\[\\]\\\\,;:"\\u0000-\\u001f\\u007f]+'
const ADDRESS = new RegExp(`^${ATOM}@${ATOM}\\.${ATOM}$`, 'u')

/** Why this is not one address, or undefined. The sentence says what to write instead. */
export function addressMistake(text: string): string | undefined {
  if (/[\u0000-\u001f\u007f\u2028\u2029]/.test(text)) {
    return 'must be a single line without control characters (a line break here would add mail headers)'
  }
  const found = mailboxes(text)
  if (found.length > 1)
    return 'must be one address; put each further one in a list of its own (extra_recipients, cc, bcc)'
  const [mailbox] = found
  if (!mailbox || !isAddress(mailbox.address)) {
    return `must be an email address such as ann@example.com or Ann Lee <ann@example.com>, got "${text.slice(0, 80)}"`
  }
  return undefined
}

export function isAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text)
}

/** The addresses of a header as it came, groups opened, names decoded. */
export function mailboxes(header: string | undefined): Mailbox[] {
  if (!header) return []
  return addressparser(header, { flatten: true })
    .filter(({ address, name }) => address || name)
    .map(({ address, name }) => ({ name: decodedWords(name).trim(), address: address.trim() }))
}

/** As people write it: `Ann Lee <ann@example.com>`. */
export function written({ name, address }: Mailbox): string {
  return name && address ? `${name} <${address}>` : address || name
}

export function sameAddress(a: string, b: string | undefined): boolean {
  return b !== undefined && a.toLowerCase() === b.toLowerCase()
}
