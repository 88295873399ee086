import { Link } from '@tanstack/react-router'
import { Button, buttonClass } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Empty, PageHead } from '../parts/page.tsx'

/** A page that broke; the rest of the shell goes on. After an update the page's old files are gone: reloading helps. */
export function PageFailed({ error }: { error: unknown }) {
  return (
    <ErrorNote error={error} className="mx-auto max-w-xl">
      <Button size="small" className="mt-1" onClick={() => window.location.reload()}>
        Reload
      </Button>
    </ErrorNote>
  )
}

export function NotFound() {
  return (
    <Empty
      title="There is no such page"
      action={
        <Link to="/" className={buttonClass('primary')}>
          Go to the first page
        </Link>
      }
    >
      The address may be mistyped, or from another version.
    </Empty>
  )
}

/** An address that leads nowhere, as a page of its own. */
export function NotFoundPage() {
  return (
    <>
      <PageHead title="Not found" />
      <NotFound />
    </>
  )
}
