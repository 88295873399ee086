import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'

/** What the gateway counts, for Prometheus; labels never hold a user. */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new Histogram({
    name: 'patchbay_tool_call_seconds',
    help: 'Tool calls by tool and outcome.',
    labelNames: ['tool', 'outcome'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [registry],
  })
  const troubles = new Counter({
    name: 'patchbay_troubles_total',
    help: 'Failures of background work.',
    labelNames: ['what'],
    registers: [registry],
  })
  return {
    registry,
    onCall: (tool: string, outcome: string, ms: number) => calls.labels(tool, outcome).observe(ms / 1000),
    onTrouble: (what: string) => troubles.labels(what.replace(/ \(.*/, '')).inc(),
  }
}
