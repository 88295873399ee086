import { parseArgs } from 'node:util'
import { type Config, ConfigError } from '../config.ts'
import { DEFAULT_PROJECT } from '../core/admin.ts'
import type { EventFilter } from '../core/storage.ts'
import { openStorage } from '../storage/open.ts'

/** Prints a project's events as JSON Lines, oldest first, as fast as the reader takes them. */
export async function audit(config: Config, args: string[]): Promise<void> {
  const { values } = parsed(args)
  const filter: EventFilter = { ...time('from', values.from), ...time('to', values.to) }
  const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir })
  try {
    for await (const event of storage.events.stream(values.project, filter)) {
      if (!process.stdout.write(`${JSON.stringify({ ...event, at: new Date(event.at).toISOString() })}\n`)) {
        await new Promise((resolve) => process.stdout.once('drain', resolve))
      }
    }
  } finally {
    await storage.close()
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        project: { type: 'string', default: DEFAULT_PROJECT },
        from: { type: 'string' },
        to: { type: 'string' },
      },
    })
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

function time(name: 'from' | 'to', text: string | undefined): EventFilter {
  if (text === undefined) return {}
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new ConfigError(`--${name} must be a time such as 2026-11-20T10:00:00Z`)
  return { [name]: at }
}
