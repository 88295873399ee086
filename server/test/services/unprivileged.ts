import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SystemUser {
  uid: number
  gid: number
}

/** Database servers refuse to run as root: then the first of `names` that exists, else whoever we are. */
export async function unprivileged(names: readonly string[]): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of [...names, 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {
      // No such user on this machine.
    }
  }
  throw new Error(`Run this as another user than root, or add one of the users ${names.join(', ')}.`)
}
