import { Search } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { fieldClass } from './field.tsx'

interface SearchFieldProps {
  value: string
  onChange: (value: string) => void
  label: string
  placeholder?: string
  className?: string
}

/** A search box that `/` focuses and Esc clears. */
export function SearchField({ value, onChange, label, placeholder, className }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])
  return (
    <div className={className}>
      <div className="group relative">
        <Search
          size={15}
          className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
          aria-hidden
        />
        <input
          ref={input}
          type="search"
          aria-label={label}
          aria-keyshortcuts="/"
          placeholder={placeholder ?? label}
          value={value}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            if (value === '') input.current?.blur()
            else onChange('')
          }}
          className={`${fieldClass} h-9 pr-9 pl-9 pointer-coarse:h-11 [&::-webkit-search-cancel-button]:hidden`}
        />
        {value === '' && (
          <kbd
            aria-hidden
            className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 rounded border border-line-strong px-1.5 font-mono text-xs text-faint group-focus-within:hidden pointer-coarse:hidden"
          >
            /
          </kbd>
        )}
      </div>
    </div>
  )
}

/** Whether a key pressed there is text for it, or belongs to an open window. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.closest('input, textarea, select, [role=dialog], [role=menu]') !== null
}
