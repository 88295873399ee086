import { type ReactNode, useEffect } from 'react'
import { classNames } from './class-names.ts'

interface PageHeadProps {
  title: string
  /** What the browser's tab and history say, where that is more than the title. */
  tab?: string
  lead?: ReactNode
  children?: ReactNode
}

/** Several tabs of one gateway, and the browser's history, can be told apart. */
export function useTabTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Patchbay`
  }, [title])
}

/** A page's head: what it is and what can be done with all of it. */
export function PageHead({ title, tab = title, lead, children }: PageHeadProps) {
  useTabTitle(tab)
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        {lead && <p className="mt-1 max-w-2xl text-base text-muted">{lead}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  )
}

export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <section className={classNames('rounded-xl border border-line bg-surface shadow-card', className)}>
      {children}
    </section>
  )
}

/** Nothing here, why, and what to do about it. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="flex flex-col items-center rounded-xl border border-dashed border-line-strong px-6 py-12 text-center">
      {icon && <div className="mb-3 text-faint">{icon}</div>}
      <h2 className="text-base font-semibold">{title}</h2>
      {children && <div className="mt-1 max-w-md text-sm text-muted">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  )
}

/** The outline of what is on its way. */
export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden className={classNames('animate-breathe rounded-md bg-hover', className)} />
}

/** Told to screen readers while skeletons are shown. */
export function Loading({ what, children }: { what: string; children: ReactNode }) {
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      {children}
    </div>
  )
}
