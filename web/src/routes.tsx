import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { eventFilterOf } from './events/event-filter.ts'
import { NotFoundPage, PageFailed } from './shell/page-failed.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage })

const agents = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./agents/agents-page.tsx'), 'AgentsPage'),
})

const connectors = createRoute({
  getParentRoute: () => root,
  path: '/connectors',
  validateSearch: (search: Record<string, unknown>): { connect?: string } =>
    typeof search['connect'] === 'string' ? { connect: search['connect'] } : {},
  component: lazyRouteComponent(() => import('./connectors/connectors-page.tsx'), 'ConnectorsPage'),
})

const tools = createRoute({
  getParentRoute: () => root,
  path: '/tools',
  component: lazyRouteComponent(() => import('./tools/tools-page.tsx'), 'ToolsPage'),
})
const toolList = createRoute({
  getParentRoute: () => tools,
  path: '/',
  component: lazyRouteComponent(() => import('./tools/tools-page.tsx'), 'NoTool'),
})
const tool = createRoute({
  getParentRoute: () => tools,
  path: '$name',
  component: lazyRouteComponent(() => import('./tools/tool-page.tsx'), 'ToolPage'),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: eventFilterOf,
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
})

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  beforeLoad: ({ location }) => {
    if (/^\/settings\/?$/.test(location.pathname))
      throw redirect({ to: '/settings/$section', params: { section: 'oauth-apps' } })
  },
})
const settingsSection = createRoute({
  getParentRoute: () => settings,
  path: '$section',
  component: lazyRouteComponent(() => import('./settings/settings-page.tsx'), 'SettingsPage'),
})

const oauthApp = createRoute({
  getParentRoute: () => settings,
  path: 'oauth-apps/$provider',
  component: lazyRouteComponent(() => import('./settings/oauth-app-page.tsx'), 'OAuthAppPage'),
})

/** `/connectors` and `/tools` are addresses of the REST catalogue too: the gateway gives browsers the page there. */
export const router = createRouter({
  routeTree: root.addChildren([
    agents,
    connectors,
    tools.addChildren([toolList, tool]),
    events,
    settings.addChildren([settingsSection, oauthApp]),
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
