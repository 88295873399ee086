import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { classNames } from './class-names.ts'
import { ErrorNote } from './error-note.tsx'
import { rememberOpener, returnFocus } from './focus-return.ts'

interface DialogProps {
  open: boolean
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  children?: ReactNode
  footer?: ReactNode
  wide?: boolean
  /** A drawer from the right edge instead of a window in the middle. */
  drawer?: boolean
}

/** A window over the page: traps the focus, closes on Esc, gives the focus back. A full sheet on phones. */
export function Dialog({ open, onClose, title, description, children, footer, wide, drawer }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-veil" />
        <Radix.Content
          onOpenAutoFocus={focusFirstField}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            returnFocus()
          }}
          {...(description === undefined && { 'aria-describedby': undefined })}
          className={classNames(
            'fixed z-40 flex flex-col bg-surface shadow-raised outline-none',
            drawer
              ? 'inset-y-0 right-0 w-full max-w-lg animate-slide border-l border-line'
              : classNames(
                  'inset-x-0 bottom-0 max-h-[92dvh] animate-rise rounded-t-xl border border-line sm:inset-auto sm:top-[12vh] sm:left-1/2 sm:max-h-[80vh] sm:w-[calc(100%-2rem)] sm:-translate-x-1/2 sm:rounded-xl',
                  wide ? 'sm:max-w-2xl' : 'sm:max-w-lg',
                ),
          )}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0 pt-1">
              <Radix.Title className="text-lg font-semibold tracking-tight">{title}</Radix.Title>
              {description !== undefined && (
                <Radix.Description className="mt-1 text-sm text-muted">{description}</Radix.Description>
              )}
            </div>
            {/* No tooltip here: Esc would close the tooltip first. */}
            <Radix.Close
              aria-label="Close"
              className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-ink pointer-coarse:size-10"
            >
              <X size={17} aria-hidden />
            </Radix.Close>
          </header>
          <div data-dialog-body className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">
            {children}
          </div>
          {footer && (
            <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3.5 pb-[max(0.875rem,env(safe-area-inset-bottom))]">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** The first field of a form; the window itself where there is none, or where a field would bring up a keyboard. */
function focusFirstField(event: Event) {
  rememberOpener()
  const content = event.target
  if (!(content instanceof HTMLElement)) return
  event.preventDefault()
  const field = content.querySelector<HTMLElement>(
    '[data-dialog-body] :is(input:not([type=search], [hidden]), select, textarea)',
  )
  const touch = window.matchMedia('(pointer: coarse)').matches
  if (field && !touch) field.focus()
  else content.focus()
}

interface ConfirmProps {
  open: boolean
  onClose: () => void
  onConfirm: () => void
  title: string
  /** What will happen, in full sentences. */
  children: ReactNode
  action: string
  busy?: boolean | undefined
  error?: unknown
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ open, onClose, onConfirm, title, children, action, busy, error }: ConfirmProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <div className="space-y-3 text-sm text-muted">{children}</div>
      {error ? <ErrorNote error={error} className="mt-4" /> : null}
    </Dialog>
  )
}
