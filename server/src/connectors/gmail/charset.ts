/**
 * Bytes as text. The declared charset decides, with one exception: bytes that are valid UTF-8 with characters outside
 * ASCII are UTF-8 whatever was declared, since mail systems re-encode bodies and leave the old label on them, and
 * text of another charset is practically never valid UTF-8 by accident. An unknown charset is read as UTF-8 where
 * that works, else as windows-1252, which reads any byte.
 */
export function textOf(bytes: Uint8Array, charset: string | undefined): string {
  const asUtf8 = strictUtf8(bytes)
  if (asUtf8 !== undefined && bytes.some((byte) => byte > 0x7f)) return asUtf8
  if (charset) {
    try {
      return new TextDecoder(charset.trim()).decode(bytes)
    } catch {
      // Not a label the platform knows.
    }
  }
  return asUtf8 ?? new TextDecoder('windows-1252').decode(bytes)
}

function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
