import type { Connection, ConnectorSummary, Event, Instance } from '@patchbay/sdk'
import { Link } from '@tanstack/react-router'
import { ArrowRight, Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { accountName, isDead, isUsable } from '../connectors/connection-state.ts'
import { Glyph } from '../connectors/glyph.tsx'
import { buttonClass } from '../parts/button.tsx'
import { classNames } from '../parts/class-names.ts'
import { Card } from '../parts/page.tsx'
import { TimeAgo } from '../parts/time-ago.tsx'

interface ChecklistProps {
  connections: readonly Connection[]
  connectors: readonly ConnectorSummary[]
  lastRun: Event | null
  instances: readonly Instance[]
}

/** The way to a working agent in three steps, each with how it really stands. */
export function Checklist({ connections, connectors, lastRun, instances }: ChecklistProps) {
  const usable = connections.filter(isUsable)
  const dead = connections.filter(isDead)
  // One that died is mended on its card; before that, a first account is one click away.
  const first = dead.length > 0 ? [] : connectors.filter(({ configured }) => configured).slice(0, FIRST_OFFERED)
  const nameOf = (id: string) => connectors.find((one) => one.id === id)?.name ?? id
  const lastUsed = instances
    .map((one) => one.last_used_at)
    .filter((at) => at !== null)
    .sort()
    .at(-1)
  const steps: StepProps[] = [
    {
      done: usable.length > 0,
      title: 'Connect an account',
      state:
        usable.length > 0
          ? summary(usable.map((one) => `${nameOf(one.connector)} as ${accountName(one)}`))
          : dead.length > 0
            ? `${dead.length} stopped working. Reconnect to go on.`
            : 'Choose a service and allow access in its own window.',
      action:
        usable.length === 0 && first.length > 0 ? (
          <div className="flex flex-wrap gap-2">
            {first.map(({ id, name }) => (
              <Link
                key={id}
                to="/connectors"
                search={{ connect: id }}
                aria-label={`Connect ${name}`}
                className={buttonClass('secondary', 'small')}
              >
                <Glyph id={id} name={name} size={18} />
                {name}
              </Link>
            ))}
            <Link to="/connectors" className={buttonClass('quiet', 'small')}>
              All connectors
            </Link>
          </div>
        ) : (
          <Link to="/connectors" className={buttonClass(usable.length > 0 ? 'secondary' : 'primary', 'small')}>
            {usable.length > 0 ? 'Connectors' : 'Connect an account'}
          </Link>
        ),
    },
    {
      done: lastRun !== null,
      title: 'Run a tool',
      state: lastRun ? (
        <>
          <code className="font-mono text-xs">{lastRun.tool}</code> ran <TimeAgo at={lastRun.at} />
        </>
      ) : usable.length > 0 ? (
        'Try one yourself before an agent does.'
      ) : (
        'Needs a connected account first.'
      ),
      action: (
        <Link to="/tools" className={buttonClass(usable.length > 0 && !lastRun ? 'primary' : 'secondary', 'small')}>
          {lastRun ? 'Tools' : 'Pick a tool'}
        </Link>
      ),
    },
    {
      done: lastUsed !== undefined,
      title: 'Connect an agent',
      state: lastUsed ? (
        <>
          An agent last called <TimeAgo at={lastUsed} />
        </>
      ) : instances.length > 0 ? (
        'Waiting for the first call to the address below.'
      ) : (
        'Create the address below and give it to your agent.'
      ),
    },
  ]
  return (
    <Card>
      <ol className="divide-y divide-line">
        {steps.map((step) => (
          <Step key={step.title} {...step} />
        ))}
      </ol>
    </Card>
  )
}

const FIRST_OFFERED = 3

interface StepProps {
  done: boolean
  title: string
  state: ReactNode
  action?: ReactNode
}

function Step({ done, title, state, action }: StepProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3.5 sm:flex-nowrap sm:px-5">
      <span
        className={classNames(
          'flex size-6 shrink-0 items-center justify-center rounded-full',
          done ? 'bg-good-soft text-good' : 'bg-sunken text-faint',
        )}
      >
        {done ? <Check size={14} aria-label="Done" /> : <ArrowRight size={13} aria-label="To do" />}
      </span>
      <div className="min-w-0 flex-1 basis-2/3 sm:basis-0">
        <h2 className="text-sm font-semibold">{title}</h2>
        <p className="text-sm break-words text-muted">{state}</p>
      </div>
      {action && <div className="pl-9 sm:shrink-0 sm:pl-0">{action}</div>}
    </li>
  )
}

function summary(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ')
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}
