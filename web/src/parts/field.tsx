import { ChevronDown } from 'lucide-react'
import { type ComponentProps, type ReactNode, useId } from 'react'
import { classNames } from './class-names.ts'

export const fieldClass =
  'block w-full min-w-0 rounded-md border border-field bg-surface px-3 text-base text-ink placeholder:text-faint hover:border-muted focus:border-accent focus:outline-2 focus:outline-accent focus:-outline-offset-1 aria-invalid:border-bad sm:text-sm'

interface FieldProps {
  label: ReactNode
  required?: boolean
  help?: ReactNode
  problem?: string | undefined
  /** Something small at the right end of the label's line. */
  aside?: ReactNode
  /** Gets the ids that tie the control to its label, help and problem. */
  children: (ids: ControlIds) => ReactNode
}

export interface ControlIds {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': true | undefined
  'aria-required': true | undefined
}

/** A labelled control with its help and, when something is wrong with it, the reason. */
export function Field({ label, required, help, problem, aside, children }: FieldProps) {
  const id = useId()
  const described = [problem && `${id}-problem`, help && `${id}-help`].filter(Boolean).join(' ')
  return (
    <div>
      <div className="mb-1.5 flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-sm font-medium break-words">
          {label}
          {required && (
            <span className="ml-1 font-normal text-faint">
              <span aria-hidden>·</span> required
            </span>
          )}
        </label>
        {aside}
      </div>
      {children({
        id,
        'aria-describedby': described || undefined,
        'aria-invalid': problem ? true : undefined,
        'aria-required': required || undefined,
      })}
      {problem && (
        <p id={`${id}-problem`} className="mt-1 text-sm text-bad">
          {problem}
        </p>
      )}
      {help && (
        <p id={`${id}-help`} className="mt-1 text-xs break-words text-muted">
          {help}
        </p>
      )}
    </div>
  )
}

export function TextInput({ className, ...rest }: ComponentProps<'input'>) {
  return (
    <input
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={classNames(fieldClass, 'h-9 pointer-coarse:h-11', className)}
    />
  )
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...rest} className={classNames(fieldClass, 'min-h-20 py-2 leading-normal', className)} />
}

export function Select({ className, children, ...rest }: ComponentProps<'select'>) {
  return (
    <span className={classNames('relative block', className)}>
      <select {...rest} className={classNames(fieldClass, 'h-9 appearance-none truncate pr-8 pointer-coarse:h-11')}>
        {children}
      </select>
      <ChevronDown
        size={15}
        className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-muted"
        aria-hidden
      />
    </span>
  )
}

interface ChoiceProps extends Omit<ComponentProps<'input'>, 'title'> {
  title: ReactNode
  detail?: ReactNode
}

/** A radio button or checkbox with a title and a line that explains it, all of it clickable. */
export function Choice({ title, detail, className, ...rest }: ChoiceProps) {
  return (
    <label
      className={classNames(
        'flex gap-3 rounded-lg border border-line px-3.5 py-3 transition-colors has-checked:border-ink has-focus-visible:outline-2 has-focus-visible:outline-accent hover:bg-sunken',
        className,
      )}
    >
      <input {...rest} className="mt-0.5 outline-none" />
      <span className="min-w-0">
        <span className="block text-sm font-medium">{title}</span>
        {detail && <span className="mt-0.5 block text-sm text-muted">{detail}</span>}
      </span>
    </label>
  )
}
