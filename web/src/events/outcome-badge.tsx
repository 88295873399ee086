import type { Event } from '@patchbay/sdk'
import { Badge, type Tone } from '../parts/badge.tsx'

export const OUTCOMES: Record<Event['outcome'], { tone: Tone; word: string }> = {
  ok: { tone: 'good', word: 'OK' },
  error: { tone: 'bad', word: 'Error' },
  refused: { tone: 'warn', word: 'Refused' },
}

export function OutcomeBadge({ outcome }: { outcome: Event['outcome'] }) {
  return <Badge tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].word}</Badge>
}
