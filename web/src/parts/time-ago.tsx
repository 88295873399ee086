import { useSyncExternalStore } from 'react'
import { exactTime, relativeTime } from './time.ts'

/** A moment in few words, exact on hover. Keeps up while the page is open. */
export function TimeAgo({ at }: { at: string }) {
  const now = useSyncExternalStore(everyHalfMinute, () => current)
  const then = Date.parse(at)
  return (
    <time dateTime={at} title={exactTime(then)}>
      {relativeTime(then, Math.max(now, Date.now()))}
    </time>
  )
}

let current = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** One timer for all of them, and none while nothing is shown. */
function everyHalfMinute(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    current = Date.now()
    for (const each of listeners) each()
  }, 30_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
