import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from './config.ts'
import { connectorMistakes, toolSchema } from './core/catalogue.ts'
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
      mistakes.push(`${file}: ${messageOf(error)}`)
    }
  }
  if (mistakes.length > 0)
    throw new ConfigError(`CONNECTORS_DIR holds connectors with mistakes:\n- ${mistakes.join('\n- ')}\n`)
  return found
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => /\.m?[tj]s$/.test(file) && !/\.(test|d)\.m?[tj]s$/.test(file))
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

/** A file that no compiler has seen may lack anything; types that JSON cannot say would otherwise fail when listed. */
function mistakesOf(connector: Connector): string[] {
  const mistakes = connectorMistakes(connector)
  if (mistakes.length > 0) return mistakes
  return Object.entries(connector.tools).flatMap(([name, tool]) => {
    try {
      toolSchema(tool)
      return []
    } catch (error) {
      return [`${connector.id}: ${name} has an input that no JSON Schema can say (${messageOf(error)})`]
    }
  })
}

/** The first line of what was thrown, which need not be an Error. */
function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return message.split('\n', 1)[0] || 'no message'
}
