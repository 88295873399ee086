import { execFile } from 'node:child_process'
import { accessSync, constants, globSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Full path of the first of `names` that PATH or one of `folders` (glob patterns) holds; the newest version first. */
export function findCommand(names: readonly string[], folders: readonly string[] = []): string | undefined {
  const versioned = globSync([...folders]).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const places = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin', ...versioned]
  for (const name of names) {
    const found = places.map((folder) => join(folder, name)).find(isExecutable)
    if (found) return found
  }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The first number with a dot in what `--version` prints. */
export async function versionOf(command: string): Promise<string> {
  const { stdout } = await run(command, ['--version'], { timeout: 30_000 })
  return /\d+\.\d[\w.]*/.exec(stdout)?.[0] ?? 'of unknown version'
}
