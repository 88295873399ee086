/** Why this is not base64 (either alphabet, line breaks allowed), or undefined. */
export function base64Mistake(text: string): string | undefined {
  const compact = text.replace(/\s+/g, '')
  const digits = compact.replace(/={1,2}$/, '')
  if (/^data:/i.test(compact)) return 'must be the base64 alone, without "data:…;base64," before it'
  if (!/^[A-Za-z0-9+/_-]*$/.test(digits) || digits.length % 4 === 1) return 'must be base64'
  return undefined
}

/** Bytes in base64 of either alphabet; what is not a digit of it is skipped. */
export function base64Bytes(text: string): Buffer {
  // Node reads both alphabets under this name.
  return Buffer.from(text, 'base64')
}
