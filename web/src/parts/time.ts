const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago or until then, in few words: "just now", "3 min ago", "in 2 h", then the date. Times in epoch ms. */
export function relativeTime(then: number, now: number): string {
  const seconds = Math.round((now - then) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 45) return seconds >= 0 ? 'just now' : 'in a moment'
  const words =
    distance < 59.5 * MINUTE
      ? `${Math.max(1, Math.round(distance / MINUTE))} min`
      : distance < 23.5 * HOUR
        ? `${Math.round(distance / HOUR)} h`
        : distance < 6.5 * DAY
          ? `${Math.round(distance / DAY)} d`
          : undefined
  if (!words) return shortDate(then, now)
  return seconds >= 0 ? `${words} ago` : `in ${words}`
}

/** "12 Mar", with the year when it is not this one. */
export function shortDate(then: number, now: number): string {
  const sameYear = new Date(then).getFullYear() === new Date(now).getFullYear()
  return new Date(then).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(!sameYear && { year: 'numeric' }),
  })
}

/** To the second, in the reader's own zone. */
export function exactTime(then: number, timeZone?: string): string {
  return new Date(then).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
    ...(timeZone && { timeZone }),
  })
}

/** "840 ms", "2.4 s", "1 min 12 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
