import { getRouteApi, Link } from '@tanstack/react-router'
import { Button } from '../parts/button.tsx'
import { PageHead } from '../parts/page.tsx'
import { useSignOut } from '../session/sign-out.ts'
import { NotFound } from '../shell/page-failed.tsx'
import { ThemeSwitch } from '../shell/theme-switch.tsx'
import { ApiKeys } from './api-keys.tsx'
import { Instances } from './instances.tsx'
import { OAuthApps } from './oauth-apps.tsx'
import { ProjectSettings } from './project-settings.tsx'

const route = getRouteApi('/settings/$section')

export function SettingsPage() {
  return <SettingsSection section={route.useParams().section} />
}

export function SettingsSection({ section, provider }: { section: string; provider?: string }) {
  const signOut = useSignOut()
  const label = SECTIONS.find(({ id }) => id === section)?.label
  return (
    <>
      <PageHead title="Settings" tab={label ? `${label} · Settings` : 'Settings'}>
        {/* On wider screens these are in the side bar. */}
        <div className="flex items-center gap-2 md:hidden">
          <ThemeSwitch />
          <Button onClick={signOut}>Sign out</Button>
        </div>
      </PageHead>
      <nav aria-label="Settings" className="-mx-4 mb-6 overflow-x-auto border-b border-line px-4 md:mx-0 md:px-0">
        <ul className="flex gap-1">
          {SECTIONS.map(({ id, label }) => (
            <li key={id}>
              <Link
                to="/settings/$section"
                params={{ section: id }}
                aria-current={id === section ? 'page' : undefined}
                ref={showWhenCurrent}
                className="-mb-px flex h-9 items-center border-b-2 border-transparent px-3 text-sm font-medium whitespace-nowrap text-muted hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-ink aria-[current=page]:text-ink pointer-coarse:h-11"
              >
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {section === 'oauth-apps' && <OAuthApps provider={provider} />}
      {section === 'api-keys' && <ApiKeys />}
      {section === 'addresses' && <Instances />}
      {section === 'project' && <ProjectSettings />}
      {!SECTIONS.some(({ id }) => id === section) && <NotFound />}
    </>
  )
}

/** On phones the sections scroll sideways; the open one must be seen. */
function showWhenCurrent(link: HTMLAnchorElement | null) {
  if (link?.getAttribute('aria-current') === 'page') link.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

const SECTIONS = [
  { id: 'oauth-apps', label: 'OAuth apps' },
  { id: 'api-keys', label: 'API keys' },
  { id: 'addresses', label: 'MCP addresses' },
  { id: 'project', label: 'Project' },
]
