import { getRouteApi } from '@tanstack/react-router'
import { SettingsSection } from './settings-page.tsx'

const route = getRouteApi('/settings/oauth-apps/$provider')

/** Where the gateway's own hints lead: the form of one provider, open. */
export function OAuthAppPage() {
  return <SettingsSection section="oauth-apps" provider={route.useParams().provider} />
}
