import type { Effect, ToolItem } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useParams } from '@tanstack/react-router'
import { ChevronRight, CircleOff, MousePointerClick, Wrench } from 'lucide-react'
import { useState } from 'react'
import { Glyph } from '../connectors/glyph.tsx'
import { connectorsQuery } from '../connectors/queries.ts'
import { EffectBadge } from '../parts/badge.tsx'
import { buttonClass } from '../parts/button.tsx'
import { classNames } from '../parts/class-names.ts'
import { ErrorNote } from '../parts/error-note.tsx'
import { Select } from '../parts/field.tsx'
import { Empty, Loading, PageHead, Skeleton } from '../parts/page.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { useActingUser } from '../session/acting-user.ts'
import { toolsQuery } from './queries.ts'
import { type ToolGroup, toolGroups } from './tool-groups.ts'

/** The list of tools beside the one that is open; on phones one or the other. */
export function ToolsPage() {
  const [user] = useActingUser()
  const tools = useQuery(toolsQuery(user))
  const open = useParams({ strict: false, select: ({ name }) => name })
  const title = tools.data?.find(({ name }) => name === open?.toUpperCase())?.title

  return (
    <>
      <div className={open ? 'sr-only lg:not-sr-only' : ''}>
        <PageHead
          title="Tools"
          tab={title ? `${title} · Tools` : 'Tools'}
          lead="Everything an agent can do with the connected accounts. Try any of them here."
        />
      </div>
      {tools.error && <ErrorNote error={tools.error} className="mb-5" />}
      {tools.isPending && !tools.error && (
        <Loading what="tools">
          <div className="grid gap-8 lg:grid-cols-[20rem_minmax(0,1fr)]">
            <Skeleton className="h-96 rounded-xl" />
            <Skeleton className="hidden h-96 rounded-xl lg:block" />
          </div>
        </Loading>
      )}
      {tools.data?.length === 0 && (
        <Empty
          icon={<Wrench size={26} aria-hidden />}
          title={`User ${user} has no tools yet`}
          action={
            <Link to="/connectors" className={buttonClass('primary')}>
              Connect an account
            </Link>
          }
        >
          Tools come with connected accounts. Connect one and its tools are here at once.
        </Empty>
      )}
      {tools.data && tools.data.length > 0 && (
        <div className="grid items-start gap-8 lg:grid-cols-[20rem_minmax(0,1fr)]">
          <ToolList tools={tools.data} open={open} />
          <div className={open ? 'min-w-0' : 'hidden min-w-0 lg:block'}>
            <Outlet />
          </div>
        </div>
      )}
    </>
  )
}

export function NoTool() {
  return (
    <Empty icon={<MousePointerClick size={26} aria-hidden />} title="Pick a tool">
      Its form appears here, made from the schema that agents see.
    </Empty>
  )
}

function ToolList({ tools, open }: { tools: readonly ToolItem[]; open: string | undefined }) {
  const [query, setQuery] = useState('')
  const [effect, setEffect] = useState<Effect | 'all'>('all')
  const connectors = useQuery(connectorsQuery)
  const groups = toolGroups(tools, query, effect)
  const current = tools.find(({ name }) => name === open)
  const nameOf = (id: string) => connectors.data?.find((one) => one.id === id)?.name ?? id

  return (
    <div className={classNames('lg:sticky lg:top-8', open && 'hidden lg:block')}>
      <div className="mb-3 flex gap-2">
        <SearchField label="Search tools" value={query} onChange={setQuery} className="min-w-0 flex-1" />
        <Select
          aria-label="Effect"
          className="w-28 shrink-0"
          value={effect}
          onChange={(event) => setEffect(event.target.value as Effect | 'all')}
        >
          <option value="all">All</option>
          <option value="read">Read</option>
          <option value="write">Write</option>
          <option value="destructive">Destructive</option>
        </Select>
      </div>
      <nav aria-label="Tools" className="lg:-mx-2 lg:max-h-[calc(100dvh-13rem)] lg:overflow-y-auto lg:px-2">
        {groups.map((group, index) => (
          <Group
            key={group.connector}
            group={group}
            name={nameOf(group.connector)}
            startsOpen={tools.length <= MANY || (current ? group.connector === current.connector : index === 0)}
            searching={query.trim() !== ''}
          />
        ))}
        {groups.length === 0 && (
          <p className="px-2 py-6 text-sm text-muted">No tool matches. Try fewer words or another effect.</p>
        )}
      </nav>
    </div>
  )
}

/** Above this many tools, only one group starts open. */
const MANY = 40

interface GroupProps {
  group: ToolGroup
  name: string
  startsOpen: boolean
  searching: boolean
}

function Group({ group, name, startsOpen, searching }: GroupProps) {
  const [chosen, setChosen] = useState<boolean | null>(null)
  const open = searching || (chosen ?? startsOpen)
  return (
    <section className="mb-2">
      <h2>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setChosen(!open)}
          className="flex h-9 w-full items-center gap-2 rounded-md px-2 text-left text-sm font-medium text-muted hover:text-ink focus-visible:-outline-offset-2 pointer-coarse:h-11"
        >
          <Glyph id={group.connector} name={name} size={20} />
          <span className="min-w-0 flex-1 truncate">{name}</span>
          <span className="text-xs text-faint tabular-nums">{group.tools.length}</span>
          <ChevronRight size={14} className={classNames('transition-transform', open && 'rotate-90')} aria-hidden />
        </button>
      </h2>
      {open && (
        <ul className="mb-3">
          {group.tools.map((tool) => (
            <li key={tool.name}>
              <ToolLink tool={tool} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function ToolLink({ tool }: { tool: ToolItem }) {
  return (
    <Link
      to="/tools/$name"
      params={{ name: tool.name }}
      preload={false}
      ref={showWhenCurrent}
      className="flex min-h-9 items-center gap-2 rounded-md px-2 py-1 text-sm hover:bg-hover focus-visible:-outline-offset-2 aria-[current=page]:bg-hover aria-[current=page]:font-medium pointer-coarse:min-h-11"
    >
      <span className={classNames('min-w-0 flex-1', !tool.available && 'text-muted')}>{tool.title}</span>
      {!tool.available && (
        <span title={tool.unavailable?.message}>
          <CircleOff size={14} className="text-bad" aria-label="Not available now" />
        </span>
      )}
      {tool.effect !== 'read' && <EffectBadge effect={tool.effect} />}
    </Link>
  )
}

/** A page opened by its address shows the tool in the list too. */
function showWhenCurrent(link: HTMLAnchorElement | null) {
  if (link?.getAttribute('aria-current') === 'page') link.scrollIntoView({ block: 'nearest' })
}
