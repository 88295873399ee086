import { createHash, randomBytes, randomUUID } from 'node:crypto'

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
  const time = lastMs.toString(16).padStart(12, '0')
  // The tail of a version 4 UUID is variant and random bits as version 7 wants them, from a pool that is drawn in bulk.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${randomUUID().slice(19)}`
}
