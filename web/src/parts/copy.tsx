import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { IconButton } from './button.tsx'
import { classNames } from './class-names.ts'

/** Puts text on the clipboard and says so. */
export function CopyButton({ text, name = 'Copy', className }: { text: string; name?: string; className?: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'failed' | null>(null)
  useEffect(() => {
    if (!outcome) return
    const timer = setTimeout(() => setOutcome(null), 1600)
    return () => clearTimeout(timer)
  }, [outcome])
  const told =
    outcome === 'copied' ? 'Copied' : outcome === 'failed' ? 'The browser refused. Select and copy by hand' : name
  return (
    <>
      <IconButton
        name={told}
        {...(className && { className })}
        onClick={async () => setOutcome((await copyText(text)) ? 'copied' : 'failed')}
      >
        {outcome === 'copied' ? <Check size={15} className="text-good" aria-hidden /> : <Copy size={15} aria-hidden />}
      </IconButton>
      <span className="sr-only" aria-live="polite">
        {outcome ? told : ''}
      </span>
    </>
  )
}

/** One value in a box with a copy button. */
export function CopyField({ label, value, secret }: { label: string; value: string; secret?: boolean }) {
  return (
    <div>
      <div className="mb-1 text-sm font-medium">{label}</div>
      <div
        className={classNames(
          'flex items-center gap-1 rounded-md border py-0.5 pr-1 pl-3',
          secret ? 'border-warn-dot/60 bg-warn-soft' : 'border-line bg-sunken',
        )}
      >
        <code className="min-w-0 flex-1 py-1.5 font-mono text-xs break-all select-all">{value}</code>
        <CopyButton text={value} name={`Copy ${label.toLowerCase()}`} />
      </div>
    </div>
  )
}

/** A few lines to paste somewhere. `where` names the file or the place. */
export function CodeBlock({ code, where }: { code: string; where?: string }) {
  return (
    <figure className="overflow-hidden rounded-lg border border-line bg-sunken">
      <figcaption className="flex items-center justify-between gap-2 border-b border-line py-0.5 pr-1 pl-3.5 text-xs text-muted">
        <span className="truncate font-mono">{where}</span>
        <CopyButton text={code} name={where ? `Copy for ${where}` : 'Copy'} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre className="overflow-x-auto p-3.5 font-mono text-xs leading-relaxed" tabIndex={0}>
        {code}
      </pre>
    </figure>
  )
}

/** The clipboard is missing on plain http addresses other than localhost; the old command still works there. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.style.position = 'fixed'
    area.style.opacity = '0'
    const inside = document.activeElement?.closest('[role=dialog]') ?? document.body
    inside.append(area)
    const focused = document.activeElement
    area.select()
    const copied = document.execCommand('copy')
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
    return copied
  }
}
