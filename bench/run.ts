import { cpus } from 'node:os'
import { refreshStorm } from './refresh-storm.ts'
import { starting } from './starting.ts'
import { toolCall } from './tool-call.ts'

/** `npm run bench [name…]`: prints each benchmark as Markdown. Loopback only; stops by itself. */
const BENCHMARKS = { starting, 'tool-call': toolCall, 'refresh-storm': refreshStorm }

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in BENCHMARKS))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}.`)
  process.exit(2)
}
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.log(`## ${name}\n`)
  console.log(`${(await run()).join('\n')}\n`)
}
