import { LoaderCircle } from 'lucide-react'
import { type ComponentProps, type MouseEvent, type ReactNode, useId } from 'react'
import { classNames } from './class-names.ts'
import { Tooltip } from './tooltip.tsx'

export type ButtonLook = 'primary' | 'secondary' | 'quiet' | 'danger'

const LOOKS: Record<ButtonLook, string> = {
  primary: 'bg-primary text-on-primary hover:bg-primary-hover',
  secondary: 'border border-line-strong bg-surface text-ink shadow-card hover:bg-sunken',
  quiet: 'text-muted hover:bg-hover hover:text-ink',
  danger: 'border border-bad/40 bg-bad-soft text-bad hover:border-bad',
}

export function buttonClass(look: ButtonLook = 'secondary', size: 'normal' | 'small' = 'normal'): string {
  return classNames(
    'inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors select-none',
    'aria-disabled:cursor-not-allowed aria-disabled:opacity-55',
    size === 'small' ? 'h-8 px-2.5 text-sm pointer-coarse:h-10' : 'h-9 px-3.5 text-sm pointer-coarse:h-11',
    LOOKS[look],
  )
}

interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: ButtonLook
  size?: 'normal' | 'small'
  icon?: ReactNode
  /** Work is under way: the button says so and does nothing. */
  busy?: boolean | undefined
  /** Why it cannot be used now. It stays focusable and tells the reason. */
  why?: string | undefined
}

export function Button({
  look,
  size,
  icon,
  busy,
  why,
  children,
  className,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  const reasonId = useId()
  const off = busy || why !== undefined
  const act = (event: MouseEvent<HTMLButtonElement>) => (off ? event.preventDefault() : onClick?.(event))
  const button = (
    <button
      {...rest}
      type={type}
      onClick={act}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-describedby={why ? reasonId : rest['aria-describedby']}
      className={classNames(buttonClass(look, size), className)}
    >
      {busy ? <LoaderCircle size={15} className="animate-spin" aria-hidden /> : icon}
      {children}
      {why && (
        <span id={reasonId} className="sr-only">
          {why}
        </span>
      )}
    </button>
  )
  return why ? <Tooltip text={why}>{button}</Tooltip> : button
}

/** A button that is only an icon: its name is told to screen readers and on hover. */
export function IconButton({ name, children, className, ...rest }: ComponentProps<'button'> & { name: string }) {
  return (
    <Tooltip text={name}>
      <button
        type="button"
        aria-label={name}
        {...rest}
        className={classNames(
          'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-ink pointer-coarse:size-10',
          className,
        )}
      >
        {children}
      </button>
    </Tooltip>
  )
}
