import { textOf } from './charset.ts'

const WORD = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi

/** A line break that a sender encoded into a subject would become a header of our own answer. */
const CONTROLS = /[\u0000-\u001f\u007f]+/g

/**
 * Header text with its encoded words (RFC 2047) read. Gmail mostly decodes headers itself; what slips through, and
 * what other servers hand over raw, is read here. A word that cannot be read stays as it is.
 */
export function decodedWords(header: string): string {
  if (!header.includes('=?')) return header.replace(CONTROLS, ' ')
  // White space between two encoded words belongs to the encoding (§6.2). A character may also be split over two
  // words of one charset, so neighbours are decoded together.
  const joined = header.replace(/(\?=)\s+(?==\?)/g, '$1')
  let text = ''
  let at = 0
  let run: { charset: string; bytes: Buffer[] } | undefined
  const flush = () => {
    if (run) text += textOf(Buffer.concat(run.bytes), run.charset)
    run = undefined
  }
  for (const match of joined.matchAll(WORD)) {
    const between = joined.slice(at, match.index)
    // RFC 2231 §5 lets a language follow the charset.
    const charset = (match[1] as string).replace(/\*.*$/, '').toLowerCase()
    if (between || (run && run.charset !== charset)) flush()
    text += between
    run ??= { charset, bytes: [] }
    run.bytes.push(wordBytes(match[2] as string, match[3] as string))
    at = match.index + match[0].length
  }
  flush()
  return (text + joined.slice(at)).replace(CONTROLS, ' ')
}

function wordBytes(encoding: string, text: string): Buffer {
  if (encoding.toLowerCase() === 'b') return Buffer.from(text, 'base64')
  const bytes: number[] = []
  for (let index = 0; index < text.length; index++) {
    const hex = text[index] === '=' ? /^[0-9a-f]{2}/i.exec(text.slice(index + 1, index + 3)) : null
    if (hex) {
      bytes.push(Number.parseInt(hex[0], 16))
      index += 2
    } else {
      bytes.push(text[index] === '_' ? 0x20 : text.charCodeAt(index) & 0xff)
    }
  }
  return Buffer.from(bytes)
}
