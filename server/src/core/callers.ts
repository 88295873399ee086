import { timingSafeEqual } from 'node:crypto'
import type { Caller } from './caller.ts'
import { PatchbayError } from './errors.ts'
import type { Callers } from './gateway.ts'
import { secretHash } from './secrets.ts'
import type { ApiKey, Instance, Session, Storage } from './storage.ts'

/** Keys, instances and sessions held at once. */
const MAX_CACHED = 20_000
/** "Last used" is written at most this often per key. */
const TOUCH_EVERY_MS = 60_000

/**
 * Checks keys, instance tokens and session cookies, from memory once known; a change in any process drops the entry.
 * Every request comes through here first, so this is where changes of other processes are taken in.
 */
export function createCallers(options: {
  storage: Pick<Storage, 'apiKeys' | 'instances' | 'sessions' | 'onChange' | 'catchUp'>
  now: () => number
}): Callers {
  const { storage, now } = options
  const apiKeys = cached((hash: string) => storage.apiKeys.findByHash(hash))
  const instances = cached((id: string) => storage.instances.getForToken(id))
  const sessions = cached(async (hash: string) => {
    const session = await storage.sessions.find(hash)
    const keys = session ? await storage.apiKeys.list(session.projectId) : []
    const key = keys.find((one) => one.id === session?.apiKeyId)
    return session && key && { session, key }
  })
  const touched = new Map<string, number>()
  storage.onChange(({ kind }) => {
    if (kind === 'api_key' || kind === 'project' || kind === 'everything') apiKeys.clear()
    if (kind === 'instance' || kind === 'project' || kind === 'everything') instances.clear()
    if (kind === 'session' || kind === 'api_key' || kind === 'project' || kind === 'everything') sessions.clear()
  })

  function touch(id: string, write: (id: string, at: number) => Promise<void>): void {
    const at = now()
    if (at - (touched.get(id) ?? 0) < TOUCH_EVERY_MS) return
    if (touched.size > MAX_CACHED) touched.clear()
    touched.set(id, at)
    write(id, at).catch(() => touched.delete(id))
  }

  return {
    async fromApiKey(secret) {
      if (!secret) {
        throw new PatchbayError(
          'unauthorized',
          'This needs an API key: send it as "X-API-Key: pb_…" or "Authorization: Bearer pb_…".',
        )
      }
      storage.catchUp()
      const key = await apiKeys.get(secretHash(secret))
      if (!key)
        throw new PatchbayError(
          'unauthorized',
          'Unknown API key. Check that it was copied whole; keys are shown only once.',
        )
      if (key.revokedAt !== null)
        throw new PatchbayError('unauthorized', `The API key "${key.name}" was revoked. Make a new one.`)
      if (key.expiresAt !== null && key.expiresAt <= now()) {
        throw new PatchbayError('unauthorized', `The API key "${key.name}" has expired. Make a new one.`)
      }
      touch(key.id, storage.apiKeys.touch)
      return callerOfKey(key)
    },

    async fromInstanceToken(instanceId, token) {
      storage.catchUp()
      const instance = await instances.get(instanceId)
      // Hash both sides even when there is no such instance, so that the answer takes the same time.
      const given = Buffer.from(secretHash(token ?? ''))
      const expected = Buffer.from(instance?.tokenHash ?? secretHash('no such instance'))
      if (!token || !instance || !timingSafeEqual(given, expected)) {
        throw new PatchbayError(
          'unauthorized',
          'This MCP address needs its own bearer token: "Authorization: Bearer pb_inst_…".',
          {
            fix: { action: 'Make a new token for this instance on the gateway, and put it into the client' },
          },
        )
      }
      touch(instance.id, storage.instances.touch)
      return { caller: callerOfInstance(instance), instance }
    },

    async fromSession(cookie) {
      storage.catchUp()
      const found = await sessions.get(secretHash(cookie))
      if (!found || found.session.expiresAt <= now()) return undefined
      if (found.key.revokedAt !== null || (found.key.expiresAt ?? Number.POSITIVE_INFINITY) <= now()) return undefined
      return callerOfSession(found.session, found.key)
    },
  }
}

export function callerOfKey(key: ApiKey): Caller {
  return {
    projectId: key.projectId,
    role: key.role,
    userId: key.userId,
    actor: { type: 'api_key', id: key.id },
    policy: key.policy,
  }
}

function callerOfInstance(instance: Instance): Caller {
  return {
    projectId: instance.projectId,
    role: 'user',
    userId: instance.userId,
    actor: { type: 'instance', id: instance.id },
    policy: instance.policy,
  }
}

/** Signing in gives nobody more than the key that signed in. */
function callerOfSession(session: Session, key: ApiKey): Caller {
  return {
    projectId: session.projectId,
    role: 'admin',
    userId: null,
    actor: { type: 'session', id: session.apiKeyId },
    policy: key.policy,
  }
}

/** Promises by key, bounded; what is not found, or failed, is not kept. */
function cached<T>(load: (key: string) => Promise<T | undefined>) {
  const entries = new Map<string, Promise<T | undefined>>()
  return {
    clear: () => entries.clear(),
    get(key: string): Promise<T | undefined> {
      const known = entries.get(key)
      if (known) return known
      if (entries.size >= MAX_CACHED) entries.delete(entries.keys().next().value as string)
      const loading = load(key)
      const forget = () => entries.get(key) === loading && entries.delete(key)
      loading.then((found) => found === undefined && forget(), forget)
      entries.set(key, loading)
      return loading
    },
  }
}
