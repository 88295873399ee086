import { useEffect, useRef, useState } from 'react'

/** Text that becomes a filter once typing pauses. */
export function useTypedFilter(
  value: string | undefined,
  apply: (value: string) => void,
): [string, (text: string) => void] {
  const [text, setText] = useState(value ?? '')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => setText(value ?? ''), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  return [
    text,
    (next) => {
      setText(next)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => apply(next.trim()), 350)
    },
  ]
}
