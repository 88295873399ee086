/** A cable between two jacks. */
export function Mark({ size = 22, className = '' }: { size?: number; className?: string }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className={`shrink-0 ${className}`}>
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M9.5 11v3.5c0 4.5 13 2.5 13 7"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
        className="stroke-signal"
      />
      <circle cx="9.5" cy="9.8" r="3" className="fill-on-primary" />
      <circle cx="22.5" cy="22.2" r="3" className="fill-on-primary" />
    </svg>
  )
}
