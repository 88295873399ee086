import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** How a command of `patchbay` ended and all that it printed. */
export interface Ended {
  code: number | null
  output: string
}

const MAIN = join(import.meta.dirname, '../../bin/patchbay.js')

/** Runs `patchbay <args>` as a process of its own until it ends, with this environment and nothing else. */
export function runCommand(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
