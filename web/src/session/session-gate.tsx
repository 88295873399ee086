import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Mark } from '../shell/mark.tsx'
import { sessionQuery } from './queries.ts'
import { SignInPage } from './sign-in-page.tsx'

/** Shows the pages to who is signed in, the sign-in page to everyone else. */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useQuery(sessionQuery)
  if (session.data) return children
  if (session.data === null) return <SignInPage />
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col items-center justify-center gap-5 px-5">
      <Mark size={36} className={session.isPending ? 'animate-breathe' : ''} />
      {session.isPending ? (
        <p role="status" className="sr-only">
          Loading Patchbay
        </p>
      ) : (
        <ErrorNote error={session.error} className="w-full">
          <Button size="small" className="mt-1" onClick={() => session.refetch()} busy={session.isFetching}>
            Try again
          </Button>
        </ErrorNote>
      )}
    </main>
  )
}
