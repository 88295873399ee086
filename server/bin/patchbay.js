#!/usr/bin/env node
// JavaScript, so that a warm start loads no TypeScript stripper: with the compile cache on, the source comes out of it
// stripped and compiled. The folder is per user: a cache that another user could write would be code that we run.
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  console.error(
    `Patchbay needs Node 24.12 or newer and this is ${process.version}. "npm install" brings one along: start with "npm start" or "npx patchbay".`,
  )
  process.exit(1)
}
module.enableCompileCache(join(tmpdir(), `patchbay-compile-cache-${process.getuid?.() ?? 'user'}`))
const { runCommand } = await import('../src/cli/patchbay.ts')
await runCommand(process.argv.slice(2))
