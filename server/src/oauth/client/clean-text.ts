/** Longest provider sentence that is shown, characters. */
const MAX_LENGTH = 200

/** A word that shares this many characters in a row with a secret is taken for a part of it. */
const TELLING_LENGTH = 8

/**
 * What a provider says about a failure, made safe to show: control and invisible characters out, every word that
 * holds a piece of one of the request's secrets (as it is, percent-encoded or in base64) replaced, cut to 200
 * characters. Undefined when nothing is left.
 */
export function cleanDescription(text: unknown, secrets: readonly string[]): string | undefined {
  if (typeof text !== 'string') return undefined
  const visible = text
    .slice(0, 4_000)
    // Joiners and marks that hide text, inside a secret too, vanish; what separates words becomes a blank.
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu, '')
    .replace(/[\u0009-\u000d\u0085\u2028\u2029]+/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
  const safe = redact(visible, secrets).replace(/ {2,}/g, ' ').trim()
  if (safe === '') return undefined
  return safe.length <= MAX_LENGTH ? safe : `${safe.slice(0, MAX_LENGTH - 1)}…`
}

/** An error code fit for logs and rows: short, of plain characters, and nothing secret. */
export function cleanCode(code: unknown, secrets: readonly string[]): string | undefined {
  const text = typeof code === 'number' ? String(code) : code
  if (typeof text !== 'string' || !/^[\w.:-]{1,64}$/.test(text)) return undefined
  return redact(text, secrets) === text ? text : undefined
}

function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
  return text.replace(/[^\s"'<>,;()[\]{}]{4,}/g, (word) =>
    forms.some((form) => tells(word, form)) ? '[redacted]' : word,
  )
}

function tells(word: string, secret: string): boolean {
  if (word.includes(secret)) return true
  for (let at = 0; at + TELLING_LENGTH <= word.length; at++) {
    if (secret.includes(word.slice(at, at + TELLING_LENGTH))) return true
  }
  return false
}
