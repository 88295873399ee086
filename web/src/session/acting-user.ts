import { useSyncExternalStore } from 'react'
import { remember, remembered } from '../parts/storage.ts'

const KEY = 'patchbay.user'
const DEFAULT_USER = 'default'
const listeners = new Set<() => void>()
let acting = remembered(KEY) ?? DEFAULT_USER

/** The user whose connections and tools the pages show, and the way to act as another one. */
export function useActingUser(): [string, (userId: string) => void] {
  return [useSyncExternalStore(subscribe, () => acting), actAs]
}

function actAs(userId: string): void {
  acting = userId.trim() || DEFAULT_USER
  remember(KEY, acting === DEFAULT_USER ? null : acting)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
