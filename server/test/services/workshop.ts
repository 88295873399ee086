import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SystemUser } from './unprivileged.ts'

const START_MS = 60_000
const STOP_MS = 20_000
const SAID_CHARACTERS = 4_000

/** A temporary folder with the one server that runs in it. */
export interface Workshop {
  folder: string
  /** Runs a command of the server's to its end, as its user. */
  run(command: string, args: readonly string[]): Promise<void>
  /** Starts the server; resolves once its output matches `ready`. */
  serve(command: string, args: readonly string[], ready: RegExp): Promise<void>
  /** Sends `signal` to the server, waits for its end and removes the folder. */
  close(signal: NodeJS.Signals): Promise<void>
}

export function openWorkshop(name: string, user: SystemUser | undefined): Workshop {
  // Short, since the path of a Unix socket may hold some hundred characters only.
  const folder = mkdtempSync(join(tmpdir(), `pb-${name}-`))
  if (user) chownSync(folder, user.uid, user.gid)
  const asUser = { cwd: folder, env: { ...process.env, LC_ALL: 'C', HOME: folder }, ...user }
  let server: ChildProcess | undefined

  return {
    folder,

    async run(command, args) {
      await promisify(execFile)(command, args, { ...asUser, timeout: START_MS })
    },

    async serve(command, args, ready) {
      const child = spawn(command, args, { ...asUser, stdio: ['ignore', 'pipe', 'pipe'] })
      server = child
      let said = ''
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${name} ${why}:\n${said}`))
        const timer = setTimeout(() => fail(`was not ready after ${START_MS / 1000} s`), START_MS)
        const listen = (text: string) => {
          said = (said + text).slice(-SAID_CHARACTERS)
          if (!ready.test(said)) return
          clearTimeout(timer)
          resolve()
        }
        child.stdout.setEncoding('utf8').on('data', listen)
        child.stderr.setEncoding('utf8').on('data', listen)
        child.once('error', (error) => fail(`could not be started (${error.message})`))
        child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
      })
    },

    async close(signal) {
      if (server && server.exitCode === null && server.signalCode === null) {
        const ended = once(server, 'exit')
        server.kill(signal)
        const timer = setTimeout(() => server?.kill('SIGKILL'), STOP_MS)
        await ended
        clearTimeout(timer)
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
