import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './styles.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Tooltip } from 'radix-ui'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { tellRedirectOutcome } from './connectors/redirect-outcome.ts'
import { Toasts } from './parts/toasts.tsx'
import { router } from './routes.tsx'
import { createQueries } from './session/queries.ts'
import { SessionGate } from './session/session-gate.tsx'

if (tellRedirectOutcome(window.location.search)) void router.navigate({ to: '/connectors', search: {}, replace: true })

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={createQueries()}>
      <Tooltip.Provider>
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
        <Toasts />
      </Tooltip.Provider>
    </QueryClientProvider>
  </StrictMode>,
)
