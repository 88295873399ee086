import { createHash, randomBytes } from 'node:crypto'

/** A random secret of 256 bits with a readable prefix, such as `pb_admin_…`. */
export function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** A random public id of 128 bits with a readable prefix, such as `conn_…`. */
export function newId(prefix: string): string {
  return prefix + randomBytes(16).toString('hex')
}

/** How a secret is stored and looked up: our secrets are random, so a plain SHA-256 (hex) holds. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

let lastMs = 0
let counter = 0

/**
 * UUID v7 (RFC 9562 §5.7): sorts by time, and within a millisecond by the order of making in this process.
 */
export function newEventId(now: number): string {
  if (now > lastMs) {
    lastMs = now
    counter = randomBytes(2).readUInt16BE() & 0x07ff
  } else if (++counter > 0xfff) {
    lastMs += 1
    counter = 0
  }
  const bytes = randomBytes(16)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | counter, 6)
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
