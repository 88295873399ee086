import type { Instance } from '@patchbay/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Cable } from 'lucide-react'
import { useState } from 'react'
import { connectionsQuery, connectorsQuery } from '../connectors/queries.ts'
import { lastRunQuery } from '../events/queries.ts'
import { Button } from '../parts/button.tsx'
import { CodeBlock } from '../parts/copy.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Select } from '../parts/field.tsx'
import { Card, Loading, PageHead, Skeleton } from '../parts/page.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { useActingUser } from '../session/acting-user.ts'
import { client } from '../session/client.ts'
import { toolsQuery } from '../tools/queries.ts'
import { AddressFields } from './address-card.tsx'
import { AGENTS, type Agent, setupSteps } from './agent-setups.ts'
import { Checklist } from './checklist.tsx'
import { instancesQuery } from './queries.ts'
import { showToken, useShownToken } from './shown-tokens.ts'

export function AgentsPage() {
  const [user] = useActingUser()
  const connectors = useQuery(connectorsQuery)
  const connections = useQuery(connectionsQuery(user))
  const lastRun = useQuery(lastRunQuery(user))
  const instances = useQuery({
    ...instancesQuery(user),
    // The first call of an agent should show by itself.
    refetchInterval: ({ state }) => (state.data?.some((one) => one.last_used_at === null) ? 5000 : 60_000),
  })
  const [chosen, setChosen] = useState<string>()
  const instance = instances.data?.find(({ id }) => id === chosen) ?? instances.data?.[0]
  const error = connections.error ?? lastRun.error ?? instances.error ?? connectors.error

  return (
    <>
      <PageHead
        title="Connect an agent"
        lead="One address gives an agent every account that this user has connected."
      />
      <div className="space-y-6">
        {error && <ErrorNote error={error} />}
        {connections.data && connectors.data && instances.data && lastRun.data !== undefined ? (
          <Checklist
            connections={connections.data}
            connectors={connectors.data}
            instances={instances.data}
            lastRun={lastRun.data}
          />
        ) : (
          !error && (
            <Loading what="your progress">
              <Skeleton className="h-52 rounded-xl" />
            </Loading>
          )
        )}
        {instances.data && instance && (
          <Card>
            <div className="p-4 sm:p-5">
              {instances.data.length > 1 && (
                <Select
                  aria-label="Address"
                  className="mb-4 max-w-sm"
                  value={instance.id}
                  onChange={(event) => setChosen(event.target.value)}
                >
                  {instances.data.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
              <AddressFields instance={instance} />
            </div>
            <div className="border-t border-line p-4 sm:p-5">
              <Setups instance={instance} user={user} />
            </div>
          </Card>
        )}
        {instances.data && !instance && <CreateAddress user={user} />}
        {instances.isPending && !error && (
          <Loading what="the address">
            <Skeleton className="h-80 rounded-xl" />
          </Loading>
        )}
      </div>
    </>
  )
}

function CreateAddress({ user }: { user: string }) {
  const queries = useQueryClient()
  const create = useMutation({
    mutationFn: () => client.instances.create({ user_id: user, name: 'My agents' }),
    onSuccess: async (created) => {
      showToken(created.id, created.token)
      await queries.invalidateQueries({ queryKey: ['instances'] })
    },
  })
  return (
    <Card className="flex flex-col items-start gap-4 p-5 sm:flex-row sm:items-center sm:p-6">
      <span className="flex size-11 shrink-0 items-center justify-center rounded-xl bg-sunken text-muted">
        <Cable size={20} aria-hidden />
      </span>
      <div className="min-w-0 flex-1">
        <h2 className="text-base font-semibold tracking-tight">User {user} has no MCP address yet</h2>
        <p className="text-sm text-muted">
          Creating one makes a secret token with it. It can be limited, rotated and deleted in Settings.
        </p>
        {create.error && <ErrorNote error={create.error} className="mt-3" />}
      </div>
      <Button look="primary" busy={create.isPending} onClick={() => create.mutate()}>
        Create the address
      </Button>
    </Card>
  )
}

function Setups({ instance, user }: { instance: Instance; user: string }) {
  const [agent, setAgent] = useState<Agent>('claude-code')
  const token = useShownToken(instance.id)
  const tools = useQuery(toolsQuery(user))
  const tool = tools.data?.find((one) => one.available && one.effect === 'read')?.name
  const origin = new URL(instance.url, window.location.href).origin
  return (
    <Tabs label="Agent" value={agent} onChange={setAgent} tabs={AGENTS}>
      <div className="space-y-3">
        {setupSteps(agent, { url: instance.url, token, origin, userId: user, tool }).map(({ lead, where, code }) => (
          <div key={where}>
            <p className="mb-2 text-sm text-muted">{lead}</p>
            <CodeBlock code={code} where={where} />
          </div>
        ))}
        {!token && agent !== 'rest' && (
          <p className="text-sm text-muted">
            Put the token in place of YOUR_TOKEN where it stands. Lost it? Make a new one above.
          </p>
        )}
        {agent === 'rest' && (
          <p className="text-sm text-muted">
            No key yet?{' '}
            <Link
              to="/settings/$section"
              params={{ section: 'api-keys' }}
              className="font-medium text-accent underline underline-offset-2"
            >
              Create an API key
            </Link>
          </p>
        )}
      </div>
    </Tabs>
  )
}
