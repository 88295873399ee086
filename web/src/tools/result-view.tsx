import type { ExecuteReply, ToolItem } from '@patchbay/sdk'
import { Check } from 'lucide-react'
import { useState } from 'react'
import { EventDrawer } from '../events/event-drawer.tsx'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { CodeBlock } from '../parts/copy.tsx'
import { Card } from '../parts/page.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { duration } from '../parts/time.ts'
import { ReadableValue } from './readable-value.tsx'

/** What a tool answered: readably, as JSON, and its line in the audit log. */
export function ResultView({ reply, tool }: { reply: ExecuteReply; tool: ToolItem }) {
  const [view, setView] = useState<'readable' | 'json'>('readable')
  const [event, setEvent] = useState(false)
  const account = tool.accounts.find(({ connection_id }) => connection_id === reply.connection_id)
  return (
    <Card className="overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-4 sm:px-5">
        <Badge tone="good">
          <Check size={13} aria-hidden /> Done
        </Badge>
        <span className="text-sm text-muted tabular-nums">{duration(reply.duration_ms)}</span>
        {account && <span className="min-w-0 truncate text-sm text-muted">as {account.label}</span>}
        <Button look="quiet" size="small" className="ml-auto" onClick={() => setEvent(true)}>
          See its event
        </Button>
      </header>
      {reply.truncated && (
        <p className="mx-4 mt-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn sm:mx-5">
          The answer was longer than the limit and was cut. Ask for less, or for the next page.
        </p>
      )}
      <Tabs
        label="Result"
        value={view}
        onChange={setView}
        className="px-4 pt-1 pb-4 sm:px-5 sm:pb-5"
        tabs={[
          { value: 'readable', label: 'Readable' },
          { value: 'json', label: 'JSON' },
        ]}
      >
        {view === 'readable' ? (
          <ReadableValue value={reply.result} />
        ) : (
          <CodeBlock code={JSON.stringify(reply.result, null, 2) ?? 'null'} where="result" />
        )}
      </Tabs>
      {event && <EventDrawer id={reply.event_id} requestId={reply.request_id} onClose={() => setEvent(false)} />}
    </Card>
  )
}
