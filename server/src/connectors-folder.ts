import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from './config.ts'
import { connectorMistakes } from './core/catalogue.ts'
import type { Connector } from './core/connector.ts'

/**
 * The connectors dropped into CONNECTORS_DIR: every export of each `*.ts`, `*.mts`, `*.js` or `*.mjs` file that has
 * `kind: 'api'`. Throws one ConfigError that lists what is wrong, by file.
 */
export async function connectorsIn(folder: string): Promise<Connector[]> {
  const found: Connector[] = []
  const mistakes: string[] = []
  for (const file of filesOf(folder)) {
    try {
      const module = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, unknown>
      const connectors = Object.values(module).filter(isConnector)
      if (connectors.length === 0) mistakes.push(`${file}: exports no connector (an object made with defineConnector)`)
      for (const connector of connectors) {
        mistakes.push(...mistakesOf(connector).map((mistake) => `${file}: ${mistake}`))
        found.push(connector)
      }
    } catch (error) {
      mistakes.push(`${file}: ${(error as Error).message.split('\n', 1)[0]}`)
    }
  }
  if (mistakes.length > 0)
    throw new ConfigError(`CONNECTORS_DIR holds connectors with mistakes:\n- ${mistakes.join('\n- ')}\n`)
  return found
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => /\.m?[tj]s$/.test(file) && !/\.(test|d)\.m?ts$/.test(file))
      .sort()
  } catch (error) {
    throw new ConfigError(
      `The setting CONNECTORS_DIR names ${folder}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    )
  }
}

function isConnector(value: unknown): value is Connector {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'api'
}

/** A file that no compiler has seen may lack whole parts. */
function mistakesOf(connector: Connector): string[] {
  const required = [
    'id',
    'name',
    'description',
    'category',
    'provider',
    'api',
    'scopes',
    'identityScopes',
    'account',
    'tools',
  ] as const
  const absent = required.filter((part) => connector[part] === undefined)
  return absent.length > 0
    ? [`${connector.id ?? 'connector'}: lacks ${absent.join(', ')}`]
    : connectorMistakes(connector)
}
