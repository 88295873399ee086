#!/usr/bin/env node
// JavaScript, so that a warm start loads no TypeScript stripper: with the compile cache on, the source comes out of it
// stripped and compiled. The cache lies with the packages: whoever can write there can change our code anyway.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  console.error(
    `Patchbay needs Node 24.12 or newer and this is ${process.version}. "npm install" brings one along: start with "npm start" or "npx patchbay".`,
  )
  process.exit(1)
}
module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/patchbay', import.meta.url)))
const { runCommand } = await import('../src/cli/patchbay.ts')
await runCommand(process.argv.slice(2))
