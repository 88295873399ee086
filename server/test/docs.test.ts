import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EVENT_TYPES as FILTER_TYPES } from '../../web/src/events/event-filter.ts'
import { builtInConnectors } from '../src/connectors/built-in.ts'
import { createCatalogue } from '../src/core/catalogue.ts'
import type { Tool } from '../src/core/connector.ts'
import { ERROR_CODES } from '../src/core/errors.ts'
import { EVENT_TYPES } from '../src/core/events.ts'
import type { Tables } from '../src/storage/schema.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const PAGES = ['*.md', 'docs/**/*.md', 'examples/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: ROOT }))

describe('the documentation says what the code says', () => {
  test('settings.md holds the table that the program prints', () => {
    const printed = execFileSync(process.execPath, [join(ROOT, 'server/bin/patchbay.js'), 'settings'], {
      encoding: 'utf8',
    })

    expect(tableOf(read('docs/settings.md'))).toEqual(tableOf(printed))
  })

  test('errors.md explains every code, and no other', () => {
    expect(firstColumn(read('docs/errors.md')).sort()).toEqual([...ERROR_CODES].sort())
  })

  test('errors.md names the status that REST answers', () => {
    const table =
      /const STATUS: Record<ErrorCode, number> = \{([\s\S]*?)\n\}/.exec(read('server/src/api/failures.ts'))?.[1] ?? ''
    const answered = [...table.matchAll(/(\w+): (\d+),/g)].map(([, code, status]) => `${code} ${status}`)
    const documented = tableOf(read('docs/errors.md')).flatMap((line) => {
      const [, code, status] = /^\| `(\w+)` \| (\d+) \|/.exec(line) ?? []
      return code ? [`${code} ${status}`] : []
    })

    expect(documented.sort()).toEqual(answered.sort())
  })

  test('events.md explains every type, and no other', () => {
    expect(firstColumn(read('docs/events.md')).sort()).toEqual([...EVENT_TYPES].sort())
  })

  test('the events page can be filtered by every event type', () => {
    expect(FILTER_TYPES).toEqual(EVENT_TYPES)
  })

  test('storage-schema.md explains every table and column, and no other', () => {
    const documented = [...read('docs/storage-schema.md').matchAll(/^## `(\w+)`$([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(
      ([, table, text = '']) => [table, firstColumn(text).sort()],
    )

    const besides = { change: ['seq', 'told'], schema_version: ['applied_at', 'name', 'version'] }
    expect(Object.fromEntries(documented)).toEqual({ ...tablesOfSchema(), ...besides })
  })

  // `vitest run server/test/docs.test.ts -u` writes the page anew.
  test('tools.md holds the catalogue', async () => {
    await expect(toolsPage()).toMatchFileSnapshot(join(ROOT, 'docs/tools.md'))
  })

  test('the README counts the tools right', () => {
    const tools = builtInConnectors.flatMap(({ tools }) => Object.keys(tools))

    expect(read('README.md')).toContain(`[${tools.length} tools](docs/tools.md)`)
  })

  test('the package names of decisions are packages of this project', () => {
    const known = new Set(
      ['package.json', 'server/package.json', 'web/package.json'].flatMap((path) => {
        const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path))
        return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
      }),
    )
    const documented = firstColumn(read('docs/decisions/0001-dependencies.md'))

    expect(documented.filter((name) => !known.has(name))).toEqual([])
    const own = (name: string) => name.startsWith('@patchbay/')
    expect([...known].filter((name) => !own(name) && !documented.includes(name))).toEqual([])
  })
})

describe('the pages hold together', () => {
  test('there are pages to check', () => {
    expect(PAGES.length).toBeGreaterThan(20)
  })

  test.each(PAGES)('every relative link of %s leads somewhere', (page) => {
    const text = withoutCode(read(page))
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
      ([, link, other]) => link ?? other ?? '',
    )
    const broken = links.filter((link) => {
      if (/^[a-z]+:/i.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path)
      if (!existsSync(file)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor)
    })

    expect(broken).toEqual([])
  })

  test.each(PAGES)('every file that %s names in code exists', (page) => {
    const named = [...read(page).matchAll(/`((?:server|web|sdk|docs|examples|bench|\.ci)\/[\w./-]*\.\w+)`/g)].map(
      ([, path = '']) => path,
    )

    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test.each(PAGES)('code that %s quotes is the code of the file', (page) => {
    const text = read(page)
    const quotes = [...text.matchAll(/<!-- from (\S+) -->\n+```\w*\n([\s\S]*?)\n```/g)]
    for (const [, path = '', code = ''] of quotes) {
      const lines = read(path).split('\n').map(withoutIndent)
      const wanted = code.split('\n').map(withoutIndent)
      const found = lines.some((_, at) => wanted.every((line, offset) => lines[at + offset] === line))
      expect(found, `${page} quotes ${path}:\n${code}`).toBe(true)
    }
    // TypeScript on a page is quoted from a file that a test runs.
    expect(quotes.filter(([quote]) => quote.includes('```ts\n')).length).toBe([...text.matchAll(/^```ts$/gm)].length)
  })

  test('no page is out of reach from the README', () => {
    const seen = new Set<string>()
    const visit = (page: string) => {
      if (seen.has(page)) return
      seen.add(page)
      for (const [, link = ''] of withoutCode(read(page)).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        const target = relative(ROOT, join(ROOT, dirname(page), link))
        if (!/^[a-z]+:/i.test(link) && target.endsWith('.md') && existsSync(join(ROOT, target))) visit(target)
      }
    }
    visit('README.md')

    expect(PAGES.filter((page) => page !== 'CLAUDE.md' && !seen.has(page))).toEqual([])
  })
})

function tableOf(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('|'))
}

/** What stands in code in the first column of the tables of a text. */
function firstColumn(text: string): string[] {
  return tableOf(text).flatMap((line) =>
    [...(/^\|([^|]*)\|/.exec(line)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  )
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
}

function withoutIndent(line: string): string {
  return line.trim()
}

/** Anchors of headings as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Table → its columns, as the code declares them. */
function tablesOfSchema(): Record<string, string[]> {
  const source = read('server/src/storage/schema.ts')
  const body = (name: string) => new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? ''
  const members = (name: string) => [...body(name).matchAll(/^ {2}(\w+): ([^\n]+)$/gm)]
  const tables = members('Tables' satisfies keyof { Tables: Tables })
  return Object.fromEntries(
    tables.map(([, table = '', row = '']) => [
      table,
      members(row)
        .map(([, column = '']) => column)
        .sort(),
    ]),
  )
}

function toolsPage(): string {
  const sections = createCatalogue(builtInConnectors)
    .connectors()
    .map((connector) => {
      const rows = Object.entries(connector.tools).map(
        ([name, tool]) => `| \`${name}\` | ${tool.title} | ${tool.effect} | ${scopesOf(tool)} |`,
      )
      return [
        `## ${connector.name}`,
        '',
        `${connector.description} ${rows.length} tools.`,
        '',
        '| tool | what it does | effect | needs |',
        '| --- | --- | --- | --- |',
        ...rows,
        '',
      ].join('\n')
    })
  return [
    '# Tools',
    '',
    'Made from the catalogue by `server/test/docs.test.ts`. `GET /connectors/:id` answers the same with each tool’s description and JSON Schema.',
    'A tool works when one entry of “needs” was granted; “+” joins scopes that are needed together.',
    '',
    ...sections,
  ].join('\n')
}

function scopesOf({ scopes }: Tool): string {
  return (
    scopes
      .map((one) =>
        [one]
          .flat()
          .map((scope) => `\`${scope}\``)
          .join(' + '),
      )
      .join(' or ') || 'nothing'
  )
}
