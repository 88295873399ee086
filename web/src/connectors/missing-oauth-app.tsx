import type { ConnectorSummary } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading, Skeleton } from '../parts/page.tsx'
import { OAuthAppDialog } from './oauth-app-form.tsx'
import { connectorQuery } from './queries.ts'

interface MissingOAuthAppProps {
  connector: ConnectorSummary
  onClose: () => void
  onSaved: () => void
}

/** The OAuth app form, reached from a Connect button that cannot work without it. */
export function MissingOAuthApp({ connector, onClose, onSaved }: MissingOAuthAppProps) {
  const detail = useQuery(connectorQuery(connector.id))
  if (detail.data) {
    const { provider, name, setup } = detail.data
    return (
      <OAuthAppDialog
        app={{ provider, name, setup, redirectUri: setup.redirect_uri }}
        onClose={onClose}
        onSaved={onSaved}
      />
    )
  }
  return (
    <Dialog open onClose={onClose} title={`OAuth app for ${connector.name}`}>
      {detail.error ? (
        <ErrorNote error={detail.error} />
      ) : (
        <Loading what="the set-up steps">
          <Skeleton className="h-32" />
        </Loading>
      )}
    </Dialog>
  )
}
