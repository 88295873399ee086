import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** A checkout of its own, whose Vite is a few lines that note each run. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'patchbay-web-'))
  for (const folder of ['server/src', 'web/src/deep', 'web/public', 'sdk/src', 'web/node_modules/vite/bin'])
    mkdirSync(join(root, folder), { recursive: true })
  cpSync(join(import.meta.dirname, 'web-build.ts'), join(root, 'server/src/web-build.ts'))
  write('package.json', '{"type":"module"}')
  write('web/package.json', '{}')
  write('web/node_modules/vite/package.json', '{"name":"vite"}')
  vite(`mkdirSync('dist', { recursive: true }); writeFileSync('dist/index.html', process.argv.slice(2).join(' '))`)
  for (const file of SOURCES) write(file, '', -60_000)
})
afterEach(() => rmSync(root, { recursive: true }))

const SOURCES = [
  'web/src/main.tsx',
  'web/src/deep/part.tsx',
  'web/public/icon.svg',
  'web/index.html',
  'web/vite.config.ts',
  'sdk/src/wire.ts',
]

function write(file: string, text: string, age = 0): void {
  writeFileSync(join(root, file), text)
  const at = new Date(Date.now() + age)
  utimesSync(join(root, file), at, at)
}

function vite(code: string): void {
  write(
    'web/node_modules/vite/bin/vite.js',
    `import { mkdirSync, writeFileSync, appendFileSync } from 'node:fs'
appendFileSync('../runs', 'x')
${code}`,
  )
}

const runs = () => (existsSync(join(root, 'runs')) ? readFileSync(join(root, 'runs'), 'utf8').length : 0)
const dist = () => join(root, 'web/dist')

async function built(): Promise<{ folder: string | undefined; said: string[] }> {
  const { builtWebPages } = await import(pathToFileURL(join(root, 'server/src/web-build.ts')).href)
  const said: string[] = []
  return { folder: await builtWebPages((line: string) => said.push(line)), said }
}

test('pages that are missing are built, and then used as they are', async () => {
  expect(await built()).toEqual({ folder: dist(), said: ['Building the web pages (once, about ten seconds)…'] })
  expect(readFileSync(join(dist(), 'index.html'), 'utf8')).toMatch(/^build /)

  expect(await built()).toEqual({ folder: dist(), said: [] })
  expect(runs()).toBe(1)
})

test.each(SOURCES)('pages older than %s are built anew', async (file) => {
  await built()
  write(file, 'changed', 60_000)

  await built()

  expect(runs()).toBe(2)
})

test('a build that fails is told, without colours, and leaves the gateway without pages', async () => {
  vite(`console.error('\\u001b[31mNo such part\\u001b[39m'); process.exit(1)`)

  const { folder, said } = await built()

  expect(folder).toBeUndefined()
  expect(said).toHaveLength(2)
  expect(said[1]).toBe('Building the web pages failed:\nNo such part\n')
})

test('a builder that is not installed is told the same way', async () => {
  rmSync(join(root, 'web/node_modules'), { recursive: true })

  const { folder, said } = await built()

  expect(folder).toBeUndefined()
  expect(said[1]).toMatch(/Cannot find module 'vite/)
})

test('where there is no source the built pages are used, or none', async () => {
  rmSync(join(root, 'web/src'), { recursive: true })
  expect(await built()).toEqual({ folder: undefined, said: [] })

  mkdirSync(dist())
  write('web/dist/index.html', '', -3_600_000)

  expect(await built()).toEqual({ folder: dist(), said: [] })
  expect(runs()).toBe(0)
})
