import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const WEB = join(import.meta.dirname, '../../web')
/** What the pages are made of: their own files, and the client they are built with. */
const SOURCES = [
  ...['src', 'public', 'index.html', 'vite.config.ts'].map((name) => join(WEB, name)),
  join(WEB, '../sdk/src'),
]

/**
 * Folder of the built web pages; built first where that is missing or older than its source. A build that fails is
 * told and leaves the gateway without pages: agents and the API do not wait for a dashboard.
 */
export async function builtWebPages(say: (line: string) => void): Promise<string | undefined> {
  const dist = join(WEB, 'dist')
  const index = join(dist, 'index.html')
  const source = join(WEB, 'src')
  if (!existsSync(source)) return existsSync(index) ? dist : undefined
  if (existsSync(index) && statSync(index).mtimeMs >= newestOf(SOURCES)) return dist
  say('Building the web pages (once, about ten seconds)…')
  try {
    await runVite()
    return dist
  } catch (error) {
    say((error as Error).message)
    return undefined
  }
}

/** Latest change of these files, and of those in these folders, epoch ms. */
function newestOf(paths: readonly string[]): number {
  return Math.max(
    0,
    ...paths.map((path) => {
      const found = statSync(path, { throwIfNoEntry: false })
      if (!found) return 0
      return found.isDirectory() ? newestOf(readdirSync(path).map((name) => join(path, name))) : found.mtimeMs
    }),
  )
}

function runVite(): Promise<void> {
  const vite = join(dirname(createRequire(join(WEB, 'package.json')).resolve('vite/package.json')), 'bin/vite.js')
  return new Promise((resolve, reject) => {
    let output = ''
    const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
      cwd: WEB,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`Building the web pages failed:\n${stripVTControlCharacters(output).slice(-2000)}`)),
    )
  })
}
