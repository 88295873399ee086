import type { OAuthApp } from '@patchbay/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Glyph } from '../connectors/glyph.tsx'
import { OAuthAppDialog } from '../connectors/oauth-app-form.tsx'
import { connectorsQuery } from '../connectors/queries.ts'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { ConfirmDialog } from '../parts/dialog.tsx'
import { Menu } from '../parts/menu.tsx'
import { Empty } from '../parts/page.tsx'
import { TimeAgo } from '../parts/time-ago.tsx'
import { toast } from '../parts/toasts.tsx'
import { client } from '../session/client.ts'
import { oauthAppsQuery } from './queries.ts'
import { Row, Rows, SectionHead } from './rows.tsx'

export function OAuthApps({ provider }: { provider?: string | undefined }) {
  const apps = useQuery(oauthAppsQuery)
  const connectors = useQuery(connectorsQuery)
  const navigate = useNavigate()
  const [removing, setRemoving] = useState<OAuthApp | null>(null)
  const nameOf = (id: string) => connectors.data?.find((one) => one.id === id)?.name ?? id
  const editing = apps.data?.find((app) => app.provider === provider)
  const edit = (app: OAuthApp) =>
    void navigate({ to: '/settings/oauth-apps/$provider', params: { provider: app.provider }, replace: true })
  const close = () => void navigate({ to: '/settings/$section', params: { section: 'oauth-apps' }, replace: true })

  return (
    <>
      <SectionHead lead="Your client id and secret at each service. Users connect through them; secrets are stored encrypted." />
      <Rows label="OAuth apps" query={apps} empty={<Empty title="No connector needs an OAuth app" />}>
        {(app) => (
          <Row
            key={app.provider}
            icon={<Glyph id={app.provider} name={app.provider_name} size={32} />}
            title={app.provider_name}
            badges={
              app.client_id === null ? (
                <Badge>Not set up</Badge>
              ) : (
                <Badge tone="good">{app.source === 'environment' ? 'From the environment' : 'Set up'}</Badge>
              )
            }
            facts={
              <>
                <span>For {app.connectors.map(nameOf).join(', ')}</span>
                {app.client_id && <span className="font-mono break-all">{app.client_id}</span>}
                {app.updated_at && (
                  <span>
                    saved <TimeAgo at={app.updated_at} />
                  </span>
                )}
              </>
            }
            action={
              app.source === 'stored' ? (
                <Menu
                  name={`More for ${app.provider_name}`}
                  items={[
                    { label: 'Edit', onSelect: () => edit(app) },
                    { label: 'Remove', onSelect: () => setRemoving(app), danger: true },
                  ]}
                />
              ) : (
                <Button
                  size="small"
                  aria-label={`${app.source === 'environment' ? 'Replace' : 'Set up'} the app for ${app.provider_name}`}
                  onClick={() => edit(app)}
                >
                  {app.source === 'environment' ? 'Replace' : 'Set up'}
                </Button>
              )
            }
          />
        )}
      </Rows>
      {editing && (
        <OAuthAppDialog
          key={editing.provider}
          app={{
            provider: editing.provider,
            name: editing.provider_name,
            redirectUri: editing.redirect_uri,
            setup: editing.setup,
            clientId: editing.client_id,
            source: editing.source,
          }}
          onClose={close}
          onSaved={() => {
            close()
            toast(`Users can connect ${editing.provider_name} now.`)
          }}
        />
      )}
      {removing && <RemoveDialog app={removing} onClose={() => setRemoving(null)} />}
    </>
  )
}

function RemoveDialog({ app, onClose }: { app: OAuthApp; onClose: () => void }) {
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: () => client.oauthApps.remove(app.provider),
    onSuccess: async () => {
      onClose()
      toast(`The OAuth app for ${app.provider_name} is removed.`)
      await Promise.all(['oauth-apps', 'connectors'].map((key) => queries.invalidateQueries({ queryKey: [key] })))
    },
  })
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      error={remove.error}
      title={`Remove the OAuth app for ${app.provider_name}?`}
      action="Remove"
    >
      <p>
        Nobody can connect {app.connectors.join(', ')} until there is one again. Connections made with it stop working
        when their tokens expire, because refreshing needs the app.
      </p>
    </ConfirmDialog>
  )
}
