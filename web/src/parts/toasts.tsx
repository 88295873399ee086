import { Check, CircleAlert, X } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { Button, IconButton } from './button.tsx'

interface Toast {
  id: number
  tone: 'good' | 'bad'
  text: string
  /** What suggests itself next. */
  action?: { label: string; onSelect: () => void } | undefined
}

let toasts: readonly Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

/** Says briefly what was just done. Failures belong beside what failed; use an ErrorNote there. */
export function toast(text: string, tone: Toast['tone'] = 'good', action?: Toast['action']): void {
  const id = nextId++
  change([...toasts.slice(-2), { id, tone, text, action }])
  setTimeout(() => dismiss(id), tone === 'good' && !action ? 5000 : 12_000)
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-20 z-50 flex flex-col items-end gap-2 sm:inset-x-auto sm:right-5 sm:bottom-5"
    >
      {shown.map(({ id, tone, text, action }) => (
        <div
          key={id}
          className="pointer-events-auto flex w-full animate-rise items-center gap-2.5 rounded-lg border border-line bg-surface py-1.5 pr-1.5 pl-3.5 text-sm shadow-raised sm:w-auto sm:max-w-sm"
        >
          {tone === 'good' ? (
            <Check size={16} className="shrink-0 text-good" aria-hidden />
          ) : (
            <CircleAlert size={16} className="shrink-0 text-bad" aria-hidden />
          )}
          <span className="min-w-0 flex-1 break-words">{text}</span>
          {action && (
            <Button
              size="small"
              onClick={() => {
                dismiss(id)
                action.onSelect()
              }}
            >
              {action.label}
            </Button>
          )}
          <IconButton name="Dismiss" onClick={() => dismiss(id)}>
            <X size={15} aria-hidden />
          </IconButton>
        </div>
      ))}
    </div>
  )
}

function dismiss(id: number) {
  change(toasts.filter((one) => one.id !== id))
}

function change(next: readonly Toast[]) {
  toasts = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
