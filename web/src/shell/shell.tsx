import { useQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { BookOpen, LogOut, Search } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '../parts/button.tsx'
import { sessionQuery } from '../session/queries.ts'
import { useSignOut } from '../session/sign-out.ts'
import { UserSwitcher } from '../session/user-switcher.tsx'
import { CommandPalette } from './command-palette.tsx'
import { Mark } from './mark.tsx'
import { PLACES } from './places.ts'
import { ThemeSwitch } from './theme-switch.tsx'

/** What surrounds every page: a side bar, or on phones a bar at the top and one at the bottom. */
export function Shell() {
  const [palette, setPalette] = useState(false)
  const session = useQuery(sessionQuery)
  const signOut = useSignOut()
  const project = session.data?.project.name ?? ''
  const search = (
    <IconButton name="Search everything (Ctrl K)" onClick={() => setPalette(true)}>
      <Search size={17} aria-hidden />
    </IconButton>
  )

  return (
    <div className="md:grid md:min-h-dvh md:grid-cols-[14.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-primary px-3 py-2 text-sm text-on-primary focus:translate-y-0"
      >
        Skip to content
      </a>

      <aside className="sticky top-0 hidden h-dvh flex-col gap-4 border-r border-line px-3 py-4 md:flex">
        <div className="flex items-center gap-2.5 pl-1.5">
          <Mark size={26} />
          <div className="min-w-0 flex-1 leading-tight">
            <div className="font-semibold tracking-tight">Patchbay</div>
            <div className="truncate text-xs text-muted">{project}</div>
          </div>
          {search}
        </div>
        <UserSwitcher />
        <nav aria-label="Main">
          <ul className="space-y-0.5">
            {PLACES.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === '/' }}
                  className="flex h-9 items-center gap-2.5 rounded-md px-2.5 text-sm font-medium text-muted transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:text-ink"
                >
                  <Icon size={16} aria-hidden />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="mt-auto space-y-2">
          <a
            href="/docs"
            className="flex h-9 items-center gap-2.5 rounded-md px-2.5 text-sm font-medium text-muted hover:bg-hover hover:text-ink"
          >
            <BookOpen size={16} aria-hidden />
            API reference
          </a>
          <div className="flex items-center justify-between gap-2 border-t border-line pt-3">
            <ThemeSwitch />
            <IconButton name="Sign out" onClick={signOut}>
              <LogOut size={16} aria-hidden />
            </IconButton>
          </div>
        </div>
      </aside>

      <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b border-line bg-canvas px-4 md:hidden">
        <Mark size={24} />
        <span className="flex-1 truncate font-semibold tracking-tight">Patchbay</span>
        {search}
        <UserSwitcher compact />
      </header>

      <main id="content" tabIndex={-1} className="min-w-0 px-4 pt-6 pb-28 outline-none md:px-8 md:pt-8 md:pb-16">
        <div className="mx-auto max-w-6xl">
          <Outlet />
        </div>
      </main>

      <nav
        aria-label="Main"
        className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-canvas pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        <ul className="grid grid-cols-5">
          {PLACES.map(({ to, short, icon: Icon }) => (
            <li key={to}>
              <Link
                to={to}
                activeOptions={{ exact: to === '/' }}
                className="flex h-15 flex-col items-center justify-center gap-1 text-[0.6875rem] font-medium text-muted focus-visible:-outline-offset-2 aria-[current=page]:text-ink"
              >
                <Icon size={19} aria-hidden />
                {short}
              </Link>
            </li>
          ))}
        </ul>
      </nav>

      <CommandPalette open={palette} onOpenChange={setPalette} onSignOut={signOut} />
    </div>
  )
}
