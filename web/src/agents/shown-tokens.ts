import { useSyncExternalStore } from 'react'

/**
 * Tokens that were made in this page and can still be shown, by instance id. Kept in memory only: the gateway never
 * tells them again, and a browser's storage is no place for them.
 */
let tokens: ReadonlyMap<string, string> = new Map()
const listeners = new Set<() => void>()

export function showToken(instanceId: string, token: string): void {
  tokens = new Map(tokens).set(instanceId, token)
  for (const listener of listeners) listener()
}

export function useShownToken(instanceId: string | undefined): string | undefined {
  return useSyncExternalStore(subscribe, () => (instanceId === undefined ? undefined : tokens.get(instanceId)))
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
