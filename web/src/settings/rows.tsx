import type { ReactNode } from 'react'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading, Skeleton } from '../parts/page.tsx'

/** A section's head: what it is for, and how to add one. */
export function SectionHead({ lead, children }: { lead: ReactNode; children?: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
      <p className="max-w-xl min-w-0 flex-1 basis-64 text-sm text-muted">{lead}</p>
      {children}
    </div>
  )
}

interface RowsProps<Item> {
  label: string
  query: { data: Item[] | undefined; error: unknown; isPending: boolean }
  empty: ReactNode
  children: (item: Item) => ReactNode
}

/** A list of settings with its waiting, failed and empty states. */
export function Rows<Item>({ label, query, empty, children }: RowsProps<Item>) {
  if (query.error) return <ErrorNote error={query.error} />
  if (!query.data) {
    return (
      <Loading what={label}>
        <Skeleton className="h-40 rounded-xl" />
      </Loading>
    )
  }
  if (query.data.length === 0) return empty
  return (
    <ul aria-label={label} className="divide-y divide-line rounded-xl border border-line bg-surface shadow-card">
      {query.data.map(children)}
    </ul>
  )
}

/** One line: what it is at the left, facts below it, what can be done at the right. */
export function Row({
  icon,
  title,
  badges,
  facts,
  action,
}: {
  icon?: ReactNode
  title: ReactNode
  badges?: ReactNode
  facts: ReactNode
  action?: ReactNode
}) {
  return (
    <li className="flex flex-wrap items-center gap-3 px-4 py-3 sm:flex-nowrap sm:px-5">
      {icon}
      <div className="min-w-0 flex-1 basis-40">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="min-w-0 text-sm font-medium break-words">{title}</span>
          {badges}
        </div>
        <div className="mt-0.5 flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-muted">{facts}</div>
      </div>
      {action}
    </li>
  )
}
