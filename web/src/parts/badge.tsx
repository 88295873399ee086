import type { Effect } from '@patchbay/sdk'
import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'

export type Tone = 'good' | 'warn' | 'bad' | 'plain'

const TONES: Record<Tone, string> = {
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  plain: 'bg-sunken text-muted',
}
const DOTS: Record<Tone, string> = {
  good: 'bg-good-dot',
  warn: 'bg-warn-dot',
  bad: 'bg-bad-dot',
  plain: 'bg-field',
}

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={classNames(
        'inline-flex h-5.5 shrink-0 items-center gap-1.5 rounded-full px-2 text-xs font-medium whitespace-nowrap',
        TONES[tone],
      )}
    >
      {children}
    </span>
  )
}

export function Dot({ tone }: { tone: Tone }) {
  return <span aria-hidden className={classNames('inline-block size-2 shrink-0 rounded-full', DOTS[tone])} />
}

const EFFECTS: Record<Effect, { tone: Tone; word: string }> = {
  read: { tone: 'plain', word: 'Read' },
  write: { tone: 'warn', word: 'Write' },
  destructive: { tone: 'bad', word: 'Destructive' },
}

/** What a tool does to the account. */
export function EffectBadge({ effect }: { effect: Effect }) {
  return <Badge tone={EFFECTS[effect].tone}>{EFFECTS[effect].word}</Badge>
}
