#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Before anything is loaded, so that the second start compiles nothing. The folder is per user: a cache that another
// user could write would be code that we run.
enableCompileCache(join(tmpdir(), `patchbay-compile-cache-${process.getuid?.() ?? 'user'}`))
const { runCommand } = await import('./cli/patchbay.ts')
await runCommand(process.argv.slice(2))
