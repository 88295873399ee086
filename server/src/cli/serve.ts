import type { Config } from '../config.ts'
import { serve } from '../main.ts'
import { builtWebPages } from '../web-build.ts'

/** Starts the gateway, says where it is, and stops it cleanly on SIGTERM or SIGINT. */
export async function serveCommand(config: Config): Promise<void> {
  const webRoot = config.webPages ? await builtWebPages((line) => console.log(line)) : undefined
  const served = await serve(config, { webRoot })
  console.log(welcome(config, served))

  let stopping = false
  const stop = async (signal: string) => {
    // Whoever asks twice does not want to wait for calls under way.
    if (stopping) process.exit(1)
    stopping = true
    console.log(`${signal}: finishing what is under way…`)
    try {
      await served.stop()
      process.exit(0)
    } catch (error) {
      console.error(`Stopping was not clean: ${(error as Error).message}`)
      process.exit(1)
    }
  }
  process.on('SIGTERM', () => void stop('SIGTERM'))
  process.on('SIGINT', () => void stop('SIGINT'))
}

function welcome(config: Config, served: { url: string; adminKey?: string; keyringPath?: string }): string {
  const lines = ['', `  Patchbay is running at ${served.url}`, '']
  if (served.adminKey) {
    lines.push(
      `  Admin key (shown this once): ${served.adminKey}`,
      '  Sign in with it, or send it as X-API-Key. Lost it? npx patchbay admin-key',
      '',
    )
  }
  lines.push(`  Data        ${config.databaseUrl ? 'PostgreSQL (DATABASE_URL)' : `${config.dataDir}/patchbay.db`}`)
  if (served.keyringPath) {
    lines.push(
      `  Master key  ${served.keyringPath}`,
      '              Back it up apart from the data: without it no stored credential can be read.',
    )
  } else {
    lines.push('  Master key  from MASTER_KEYS')
  }
  return `${lines.join('\n')}\n`
}
