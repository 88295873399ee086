import type { Connection } from './connection.ts'
import type { Storage } from './storage.ts'

/** Users whose connections are held at once. Rows are small and their credentials sealed. */
const MAX_USERS = 20_000

/** A user's connections without asking the database again until one of them changes, in whatever process. */
export type ConnectionCache = (projectId: string, userId: string) => Promise<readonly Connection[]>

export function createConnectionCache(storage: Pick<Storage, 'connections' | 'onChange'>): ConnectionCache {
  const byUser = new Map<string, Promise<readonly Connection[]>>()
  storage.onChange((change) => {
    if (change.kind === 'connection') byUser.delete(`${change.projectId}/${change.userId}`)
    else if (change.kind === 'project' || change.kind === 'everything') byUser.clear()
  })

  return (projectId, userId) => {
    const key = `${projectId}/${userId}`
    const known = byUser.get(key)
    if (known) return known
    if (byUser.size >= MAX_USERS) byUser.delete(byUser.keys().next().value as string)
    // The promise is what is kept: a change that arrives while it loads drops it, and the next asker loads anew.
    const loading = storage.connections.list(projectId, userId)
    loading.catch(() => byUser.get(key) === loading && byUser.delete(key))
    byUser.set(key, loading)
    return loading
  }
}
