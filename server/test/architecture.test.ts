import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

/** What the code of one folder may import beside itself and `core`; an entry with `type ` only for its types. */
interface Room {
  folder: string
  packages: readonly string[]
  builtins: readonly string[]
}

/** The import table. A folder that is missing here may not exist. */
const ROOMS: readonly Room[] = [
  { folder: 'server/src/core', packages: ['zod', 'cockatiel'], builtins: ['node:crypto'] },
  // node:module, to load a library of a format with its first use.
  {
    folder: 'server/src/connectors',
    packages: ['zod', 'nodemailer', 'html-to-text'],
    builtins: ['node:crypto', 'node:module'],
  },
  {
    folder: 'server/src/databases',
    packages: ['zod', 'pg', 'pg-cursor', 'mysql2', 'ioredis', 'mongodb', 'libpg-query'],
    builtins: ['node:crypto', 'type node:net', 'type node:stream'],
  },
  {
    folder: 'server/src/upstreams',
    packages: ['zod', '@modelcontextprotocol/client', '@modelcontextprotocol/core'],
    builtins: ['node:crypto', 'node:child_process'],
  },
  { folder: 'server/src/oauth/client', packages: ['oauth4webapi'], builtins: ['node:crypto'] },
  {
    folder: 'server/src/oauth/server',
    packages: ['oidc-provider', 'jose'],
    builtins: ['node:crypto', 'type node:http'],
  },
  {
    folder: 'server/src/mcp',
    packages: ['@modelcontextprotocol/server', '@modelcontextprotocol/core'],
    builtins: ['node:crypto', 'type node:http'],
  },
  {
    folder: 'server/src/api',
    packages: [
      'zod',
      'fastify',
      '@fastify/*',
      'fastify-type-provider-zod',
      'rate-limiter-flexible',
      'type @patchbay/sdk',
    ],
    builtins: ['node:crypto', 'node:fs/promises', 'node:path', 'node:stream', 'type node:http', 'type node:net'],
  },
  { folder: 'server/src/pages', packages: ['fastify', 'type @patchbay/sdk'], builtins: ['node:crypto'] },
  {
    folder: 'server/src/storage',
    packages: ['kysely', 'pg'],
    builtins: ['node:sqlite', 'node:crypto', 'node:fs', 'node:path', 'node:os', 'node:events', 'node:timers/promises'],
  },
  {
    folder: 'server/src/net',
    packages: ['undici'],
    builtins: ['node:net', 'node:dns/promises', 'node:tls', 'node:zlib', 'node:stream', 'node:module'],
  },
]

/** These put the parts together, and may import everything. */
const WIRING = /^server\/src\/(?:[a-z-]+\.ts|cli\/[a-z-]+\.ts)$/
const TEST_CODE = /\.test\.tsx?$|\/stand-in[a-z-]*\.ts$|^server\/src\/storage\/contract\//
const ENVIRONMENT =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*['"]env|\bimport\.meta\.env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/
const GLOBAL_TRAFFIC = /(?<![.\w])(?:globalThis\.)?fetch\s*\(|\bnew\s+(?:WebSocket|EventSource|XMLHttpRequest)\b/

type Files = ReadonlyMap<string, string>

interface Import {
  specifier: string
  typeOnly: boolean
}

/** Every import that the table forbids, one sentence each. Paths are from the top folder, with `/`. */
function mistakesIn(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    if (TEST_CODE.test(path)) return []
    const code = withoutComments(text)
    const said = importsOf(code).flatMap((one) => importMistake(path, one) ?? [])
    if (path.startsWith('server/src/') && path !== 'server/src/config.ts' && ENVIRONMENT.test(withoutStrings(code))) {
      said.push('reads the environment, which only server/src/config.ts does')
    }
    const room = roomOf(path)
    if (room && room.folder !== 'server/src/net') {
      if (GLOBAL_TRAFFIC.test(withoutStrings(code))) said.push('reaches the network by itself, not through net')
      const openEnded = new RegExp(`(?<![.\\w])(?:${['import', ...loadersIn(code)].join('|')})\\(\\s*[^'"\\s)]`)
      if (openEnded.test(code)) said.push('imports an address that is only known when it runs')
    }
    if (/^server\/src\/[^/]+\//.test(path) && !WIRING.test(path) && !room)
      said.push('lies in a folder that the table does not know')
    return said.map((mistake) => `${path} ${mistake}`)
  })
}

function importMistake(path: string, { specifier, typeOnly }: Import): string | undefined {
  const relative = specifier.startsWith('.')
  const target = relative ? posix.join(posix.dirname(path), specifier) : undefined
  if (target && TEST_CODE.test(target)) return `imports test code: ${specifier}`
  if (path.startsWith('sdk/'))
    return target?.startsWith('sdk/src/') ? undefined : `imports ${specifier}; the SDK imports nothing`
  if (path.startsWith('web/')) {
    if (target) return target.startsWith('web/') ? undefined : `imports ${specifier} from outside the web pages`
    if (specifier.startsWith('@patchbay/') && !/^@patchbay\/sdk(\/|$)/.test(specifier)) return `imports ${specifier}`
    return undefined
  }
  if (WIRING.test(path)) return undefined
  const room = roomOf(path)
  if (!room) return undefined
  if (target) {
    const within = (folder: string) => target.startsWith(`${folder}/`)
    return within(room.folder) || within('server/src/core') ? undefined : `imports ${specifier} from another room`
  }
  if (specifier.startsWith('/') || specifier.startsWith('#') || specifier.includes(':') !== isBuiltin(specifier)) {
    return `imports ${specifier}, which no room may`
  }
  const allowed = isBuiltin(specifier) ? room.builtins : room.packages
  const names = (entry: string) => {
    const name = entry.replace(/^type /, '')
    if (name.endsWith('/*')) return specifier.startsWith(name.slice(0, -1))
    return specifier === name || (!isBuiltin(specifier) && specifier.startsWith(`${name}/`))
  }
  const entry = allowed.find(names)
  if (!entry) return `imports ${specifier}`
  return entry.startsWith('type ') && !typeOnly ? `imports more than types from ${specifier}` : undefined
}

function roomOf(path: string): Room | undefined {
  return ROOMS.find(({ folder }) => path.startsWith(`${folder}/`))
}

/** Static, re-exporting, side-effect, type and dynamic imports, and `require`. */
function importsOf(code: string): Import[] {
  const found: Import[] = []
  for (const [, kind, clause = '', , specifier = ''] of code.matchAll(
    /(?:^|[;}\n])\s*(import|export)\s+((?:type\s+)?[\w\s{},*$]*?)\s*from\s*(['"])(.+?)\3/g,
  )) {
    const members = /^\{([^}]*)\}$/.exec(clause.trim())?.[1]
    const everyMemberIsType = members?.split(',').every((one) => !one.trim() || /^type\s/.test(one.trim()))
    found.push({
      specifier,
      typeOnly: /^type\b/.test(clause.trim()) || (kind === 'import' && everyMemberIsType === true),
    })
  }
  for (const [, , specifier = ''] of code.matchAll(/(?:^|[;}\n])\s*import\s*(['"])(.+?)\1/g))
    found.push({ specifier, typeOnly: false })
  for (const [, , specifier = ''] of code.matchAll(
    /\b(?:import|require|require\.resolve|import\.meta\.resolve)\s*\(\s*(['"`])(.+?)\1/g,
  )) {
    found.push({ specifier, typeOnly: false })
  }
  for (const name of loadersIn(code)) {
    for (const [, , specifier = ''] of code.matchAll(new RegExp(`\\b${name}\\(\\s*(['"\`])(.+?)\\1`, 'g'))) {
      found.push({ specifier, typeOnly: false })
    }
  }
  return found
}

/** What `createRequire` made: calling it imports. */
function loadersIn(code: string): string[] {
  return [...code.matchAll(/\b(\w+)\s*=\s*createRequire\(/g)].map(([, name = '']) => name)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(),])\/\/[^\n]*/g, '')
}

function withoutStrings(code: string): string {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
}

function projectFiles(): Files {
  const root = join(import.meta.dirname, '../..')
  const paths = globSync(['server/src/**/*.ts', 'sdk/src/**/*.ts', 'web/src/**/*.{ts,tsx}'], { cwd: root })
  return new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]))
}

test('nobody imports what the table does not give', () => {
  const files = projectFiles()

  expect(mistakesIn(files)).toEqual([])
  // The test has looked at something: every room but those that come later.
  for (const folder of ['core', 'connectors', 'oauth/client', 'mcp', 'api', 'pages', 'storage', 'net']) {
    const own = [...files].filter(([path]) => path.startsWith(`server/src/${folder}/`))
    expect(own.flatMap(([, text]) => importsOf(withoutComments(text))).length, folder).toBeGreaterThan(3)
  }
})

describe('the table refuses', () => {
  test.each([
    ['server/src/core/a.ts', "import { request } from 'undici'"],
    ['server/src/core/a.ts', "import { createServer } from 'node:http'"],
    ['server/src/core/a.ts', "import type { IncomingMessage } from 'node:http'"],
    ['server/src/core/a.ts', "import { createHttp } from '../net/http.ts'"],
    ['server/src/core/a.ts', "import type { Config } from '../config.ts'"],
    ['server/src/core/a.ts', "const { createHttp } = await import('../net/http.ts')"],
    ['server/src/core/a.ts', "let a: import('../net/http.ts').Outgoing"],
    ['server/src/core/a.ts', "export * from '../api/app.ts'"],
    ['server/src/core/a.ts', "import {\n  one,\n  two,\n} from '../storage/open.ts'"],
    ['server/src/core/a.ts', "import '../log.ts'"],
    ['server/src/core/a.ts', "import { readFileSync } from 'fs'"],
    ['server/src/core/a.ts', "import x from '../core-other/a.ts'"],
    ['server/src/core/a.ts', "const home = process.env['HOME']"],
    ['server/src/core/a.ts', 'const { env } = process'],
    ['server/src/core/a.ts', "const answer = await fetch('https://api.example')"],
    ['server/src/core/deep/a.ts', "import { z } from '../../api/schemas.ts'"],
    ['server/src/api/a.ts', "import { createMcpEndpoint } from '../mcp/endpoint.ts'"],
    ['server/src/api/a.ts', "import { createServer } from 'node:http'"],
    ['server/src/api/a.ts', "import { createClient } from '@patchbay/sdk'"],
    ['server/src/pages/a.ts', "import { answers } from '../api/openapi.ts'"],
    ['server/src/mcp/a.ts', "import type { FastifyRequest } from 'fastify'"],
    ['server/src/mcp/a.ts', "import { Client } from '@modelcontextprotocol/client'"],
    ['server/src/connectors/gmail/a.ts', "import { createHttp } from '../../net/http.ts'"],
    ['server/src/connectors/gmail/a.ts', 'const module = await import(name)'],
    ['server/src/connectors/gmail/a.ts', "const load = createRequire(import.meta.url)\nconst undici = load('undici')"],
    ['server/src/connectors/gmail/a.ts', 'const load = createRequire(import.meta.url)\nconst any = load(name)'],
    ['server/src/oauth/client/a.ts', "import x from '../server/a.ts'"],
    ['server/src/net/a.ts', "import pg from 'pg'"],
    ['server/src/storage/a.ts', "import { standInGateway } from './stand-in-gateway.ts'"],
    ['server/src/helpers/a.ts', 'export const one = 1'],
    ['sdk/src/a.ts', "import { z } from 'zod'"],
    ['web/src/a.tsx', "import type { Connection } from '../../server/src/core/connection.ts'"],
  ])('%s: %s', (path, text) => {
    expect(mistakesIn(new Map([[path, `${text}\n`]]))).toHaveLength(1)
  })
})

describe('the table allows', () => {
  test.each([
    ['server/src/core/a.ts', "import { z } from 'zod'\nimport { b } from './b.ts'"],
    ['server/src/core/a.ts', "// import { request } from 'undici'\n/* process.env, fetch('x') */"],
    ['server/src/core/a.ts', "const words = 'set process.env first'"],
    [
      'server/src/api/a.ts',
      "import type { IncomingMessage } from 'node:http'\nimport { type ErrorReply } from '@patchbay/sdk/wire'",
    ],
    ['server/src/connectors/gmail/a.ts', "import MailComposer from 'nodemailer/lib/mail-composer'"],
    [
      'server/src/connectors/gmail/a.ts',
      "const load = createRequire(import.meta.url)\nconst mime = load('nodemailer/lib/mime-funcs')",
    ],
    ['server/src/storage/a.test.ts', "import { createHttp } from '../net/http.ts'"],
    ['server/src/main.ts', "import { createApi } from './api/app.ts'\nimport { createHttp } from './net/http.ts'"],
    ['server/src/cli/a.ts', "import { openStorage } from '../storage/open.ts'"],
    ['server/src/config.ts', 'const env = process.env'],
    ['web/src/a.tsx', "import { createClient } from '@patchbay/sdk'\nimport { useState } from 'react'"],
  ])('%s: %s', (path, text) => {
    expect(mistakesIn(new Map([[path, `${text}\n`]]))).toEqual([])
  })
})
