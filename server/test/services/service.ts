/** A real server that tests may use, as this run has it. */
export interface Service {
  /** What to show: name, version, where it listens. */
  line: string
  /** Environment by which the tests find it. */
  env: Record<string, string>
  /** Ends what was started, and removes what it wrote. */
  stop?: () => Promise<void>
}

/** A service that this machine cannot start, and what to do about it. */
export interface Missing {
  missing: string
}

/** Services are looked up and started side by side. */
export type StartService = () => Promise<Service | Missing>

export function missing(name: string, debianPackage: string, variable: string): Missing {
  return {
    missing: `${name} is missing: install the package ${debianPackage} (apt-get install ${debianPackage}) or set ${variable}.`,
  }
}

/** A service that someone else runs; it is used and left alone. */
export function given(name: string, variable: string): Service | undefined {
  const value = process.env[variable]
  return value ? { line: `${name}: given by ${variable}`, env: { [variable]: value } } : undefined
}
