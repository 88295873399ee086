import { PatchbayApiError } from '@patchbay/sdk'
import { CircleAlert, ExternalLink } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'
import { CopyButton } from './copy.tsx'
import { InlineCode } from './inline-code.tsx'
import { asSentence } from './words.ts'

/** A failure told in full: what went wrong, what to do, and what to quote when asking for help. */
export function ErrorNote({
  error,
  className,
  children,
}: {
  error: unknown
  className?: string
  children?: ReactNode
}) {
  const told = error instanceof PatchbayApiError ? error : undefined
  const message = told?.message ?? 'Something in this page failed. Reload it; if it happens again, report it.'
  const url = safeUrl(told?.fix?.url)
  return (
    <div
      role="alert"
      className={classNames('rounded-lg border border-bad/30 bg-bad-soft px-3.5 py-3 text-sm text-ink', className)}
    >
      <div className="flex gap-2.5">
        <CircleAlert size={17} className="mt-0.5 shrink-0 text-bad" aria-hidden />
        <div className="min-w-0 flex-1 space-y-1.5">
          <p className="font-medium break-words">
            <InlineCode text={message} />
          </p>
          {told?.fix && (
            <p className="break-words text-muted">
              <InlineCode text={asSentence(told.fix.action)} />
            </p>
          )}
          {told?.retryAfter !== undefined && <p className="text-muted">Try again in {told.retryAfter} seconds.</p>}
          {url && (
            <p>
              <a
                href={url}
                target="_blank"
                rel="noreferrer"
                className="inline-flex items-center gap-1.5 font-medium text-accent underline underline-offset-2"
              >
                Open the page that fixes this <ExternalLink size={13} aria-hidden />
              </a>
            </p>
          )}
          {children}
          {told && (
            <p className="flex flex-wrap items-center gap-x-3 gap-y-1 pt-0.5 font-mono text-xs text-muted">
              <span>{told.code}</span>
              {told.providerStatus !== undefined && <span>service status {told.providerStatus}</span>}
              {told.requestId && (
                <span className="inline-flex min-w-0 items-center gap-1">
                  <span className="break-all">request {told.requestId}</span>
                  <CopyButton text={told.requestId} name="Copy request id" />
                </span>
              )}
            </p>
          )}
        </div>
      </div>
    </div>
  )
}

/** Only addresses a click may follow; the text came over the wire. */
export function safeUrl(url: string | undefined): string | undefined {
  if (!url || !URL.canParse(url, window.location.href)) return undefined
  const { protocol, href } = new URL(url, window.location.href)
  return protocol === 'https:' || protocol === 'http:' ? href : undefined
}
