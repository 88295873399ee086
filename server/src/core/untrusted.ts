/**
 * What comes back from services is data written by strangers. It is stripped of control and invisible characters,
 * which can hide instructions from the person reading along, and bounded.
 */

/**
 * Kept: tab, line feed, carriage return, and the joiners that scripts and emoji need (U+200C, U+200D), though never
 * several in a row: no script writes that, and rows of them can spell a hidden text.
 */
const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160]|[\u17b4\u17b5]|[\u180b-\u180d\u180f]|[\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164]|[\ufe00-\ufe0d]|[\ufeff\uffa0\ufff0-\ufffb]|[\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}]|[\u{e0000}-\u{e0fff}]/gu
const JOINERS_IN_A_ROW = /([\u200c\u200d])[\u200c\u200d]+/g

/** Longest name of a field passed on. */
const MAX_KEY = 1_000

/** Deepest nesting passed on; anything below is replaced by a note. */
const MAX_DEPTH = 40

export function cleanText(text: string): string {
  INVISIBLE.lastIndex = 0
  const visible = INVISIBLE.test(text) ? text.replace(INVISIBLE, '') : text
  JOINERS_IN_A_ROW.lastIndex = 0
  return JOINERS_IN_A_ROW.test(visible) ? visible.replace(JOINERS_IN_A_ROW, '$1') : visible
}

/**
 * A cleaned copy of at most about `maxChars` characters of JSON. Long strings are cut before lists are, and every cut
 * says how much is missing.
 */
export function boundedData(data: unknown, maxChars: number): { data: unknown; truncated: boolean } {
  let truncated = false
  let left = maxChars

  function walk(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return text(value)
    if (value === null || typeof value === 'number' || typeof value === 'boolean') {
      left -= 6
      return value
    }
    if (typeof value !== 'object') return value === undefined ? undefined : text(String(value))
    if (depth > MAX_DEPTH) {
      truncated = true
      return '[cut: nested too deeply]'
    }
    return Array.isArray(value) ? list(value, depth) : object(value as Record<string, unknown>, depth)
  }

  function text(value: string): string {
    const clean = cleanText(value)
    if (clean.length + 2 <= left) {
      left -= clean.length + 2
      return clean
    }
    truncated = true
    const kept = clean.slice(0, Math.max(0, left - 40))
    left -= kept.length + 40
    return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}… [cut: ${clean.length - kept.length} more characters]`
  }

  function list(values: readonly unknown[], depth: number): unknown[] {
    const kept: unknown[] = []
    for (const value of values) {
      if (left <= 0) {
        truncated = true
        kept.push(`[cut: ${values.length - kept.length} more of ${values.length} items]`)
        break
      }
      left -= 1
      kept.push(walk(value, depth + 1))
    }
    return kept
  }

  function object(value: Record<string, unknown>, depth: number): Record<string, unknown> {
    const kept: Record<string, unknown> = {}
    const keys = Object.keys(value)
    for (const [index, key] of keys.entries()) {
      if (left <= 0) {
        truncated = true
        kept['[cut]'] = `${keys.length - index} more of ${keys.length} fields`
        break
      }
      const name = cleanText(key.length > MAX_KEY ? key.slice(0, MAX_KEY) : key)
      left -= name.length + 4
      // Defined, not assigned: a key named __proto__ stays a plain key.
      if (name === '__proto__')
        Object.defineProperty(kept, name, { value: walk(value[key], depth + 1), enumerable: true })
      else kept[name] = walk(value[key], depth + 1)
    }
    return kept
  }

  return { data: walk(data, 0), truncated }
}
