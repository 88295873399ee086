import type { ToolItem } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { useState } from 'react'
import { ConnectDialog } from '../connectors/connect-dialog.tsx'
import { connectionsQuery, connectorsQuery } from '../connectors/queries.ts'
import { EffectBadge } from '../parts/badge.tsx'
import { Button, buttonClass } from '../parts/button.tsx'
import { CopyButton } from '../parts/copy.tsx'
import { InlineCode } from '../parts/inline-code.tsx'
import { Empty } from '../parts/page.tsx'
import { asSentence } from '../parts/words.ts'
import { useActingUser } from '../session/acting-user.ts'
import { toolsQuery } from './queries.ts'
import { ToolRunner } from './tool-runner.tsx'

const route = getRouteApi('/tools/$name')

export function ToolPage() {
  const { name } = route.useParams()
  const [user] = useActingUser()
  const tools = useQuery(toolsQuery(user))
  const tool = tools.data?.find((one) => one.name === name.toUpperCase())
  if (!tool) {
    return (
      <Empty
        title={`User ${user} has no tool ${name}`}
        action={
          <Link to="/tools" className={buttonClass()}>
            See all tools
          </Link>
        }
      >
        Its account may have been disconnected, or the tool was renamed.
      </Empty>
    )
  }
  return (
    <article aria-labelledby="tool-title">
      <Link
        to="/tools"
        className="mb-4 -ml-1 inline-flex h-9 items-center gap-1.5 rounded-md px-1 text-sm font-medium text-muted lg:hidden"
      >
        <ArrowLeft size={16} aria-hidden /> All tools
      </Link>
      <header className="mb-5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h2 id="tool-title" className="text-lg font-semibold tracking-tight">
            {tool.title}
          </h2>
          <EffectBadge effect={tool.effect} />
        </div>
        <div className="flex items-center gap-1">
          <code className="min-w-0 font-mono text-xs break-all text-muted">{tool.name}</code>
          <CopyButton text={tool.name} name="Copy tool name" />
        </div>
        <p className="mt-1 max-w-2xl text-sm whitespace-pre-line text-muted">
          <InlineCode text={tool.description} />
        </p>
      </header>
      {!tool.available && <Unavailable tool={tool} user={user} />}
      <ToolRunner key={`${user} ${tool.name}`} tool={tool} user={user} />
    </article>
  )
}

/** Why the tool cannot run now, and the button that changes it. */
function Unavailable({ tool, user }: { tool: ToolItem; user: string }) {
  const [connecting, setConnecting] = useState(false)
  const connectors = useQuery(connectorsQuery)
  const connections = useQuery(connectionsQuery(user))
  const name = connectors.data?.find(({ id }) => id === tool.connector)?.name ?? tool.connector
  const account = tool.accounts.find((one) => one.is_default) ?? tool.accounts[0]
  const connection = connections.data?.find(({ id }) => id === account?.connection_id)
  const missing = tool.unavailable?.code === 'missing_scope'
  return (
    <div className="mb-5 rounded-lg border border-warn-dot/50 bg-warn-soft px-4 py-3 text-sm">
      <p className="font-medium">{tool.unavailable?.message ?? 'This tool cannot run right now.'}</p>
      {tool.unavailable?.fix && <p className="mt-0.5 text-muted">{asSentence(tool.unavailable.fix.action)}</p>}
      <Button size="small" className="mt-2.5" onClick={() => setConnecting(true)}>
        {missing ? 'Give the permission' : connection ? 'Reconnect' : `Connect ${name}`}
      </Button>
      {connecting && (
        <ConnectDialog
          target={{
            connectorId: tool.connector,
            name,
            userId: user,
            tools: [tool.name],
            ...(connection && { connection }),
          }}
          onClose={() => setConnecting(false)}
        />
      )}
    </div>
  )
}
