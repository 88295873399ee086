import type { Caller, Policy } from './caller.ts'
import type { Effect } from './connector.ts'
import { PatchbayError } from './errors.ts'

/** The rule that refuses this tool, in words that name the setting, or undefined when the policy allows it. */
export function refusal(
  policy: Policy,
  tool: { name: string; connectorId: string; effect: Effect },
): { rule: string; message: string } | undefined {
  if (policy.connectors && !policy.connectors.includes(tool.connectorId)) {
    return { rule: 'connectors', message: `limited to the connectors ${list(policy.connectors)}` }
  }
  if (policy.effects && !policy.effects.includes(tool.effect)) {
    return {
      rule: 'effects',
      message: `limited to tools that ${list(policy.effects)}, and ${tool.name} is "${tool.effect}"`,
    }
  }
  if (policy.tools && !policy.tools.some((pattern) => matches(pattern, tool.name))) {
    return { rule: 'tools', message: `limited to the tools ${list(policy.tools)}` }
  }
  const denied = policy.deny_tools?.find((pattern) => matches(pattern, tool.name))
  if (denied) return { rule: 'deny_tools', message: `not allowed to use ${denied}` }
  return undefined
}

/** Throws `policy_denied` naming the rule. */
export function assertAllowed(caller: Caller, tool: { name: string; connectorId: string; effect: Effect }): void {
  const refused = refusal(caller.policy, tool)
  if (!refused) return
  throw new PatchbayError('policy_denied', `This ${ACTOR_NAME[caller.actor.type]} is ${refused.message}.`, {
    details: { rule: refused.rule, tool: tool.name },
    fix: { action: `Ask an administrator to change the "${refused.rule}" rule, or use another tool` },
  })
}

/** Throws `policy_denied` unless the caller may use the connector. */
export function assertConnector(caller: Caller, connectorId: string): void {
  if (mayUseConnector(caller.policy, connectorId)) return
  throw new PatchbayError(
    'policy_denied',
    `This ${ACTOR_NAME[caller.actor.type]} may not use the connector "${connectorId}".`,
    { details: { rule: 'connectors' } },
  )
}

/** Throws unless the caller may act for this user: a bound caller sees others as not existing. */
export function assertUser(caller: Caller, userId: string): void {
  if (!mayActFor(caller, userId)) throw new PatchbayError('not_found', `There is no user "${userId}" for this key.`)
}

export function mayActFor({ userId: bound, policy }: Caller, userId: string): boolean {
  return (bound === null || bound === userId) && (!policy.users || policy.users.includes(userId))
}

export function mayUseConnector(policy: Policy, connectorId: string): boolean {
  return !policy.connectors || policy.connectors.includes(connectorId)
}

const ACTOR_NAME: Record<Caller['actor']['type'], string> = {
  api_key: 'API key',
  instance: 'instance',
  session: 'session',
  connect_link: 'connect link',
  browser: 'browser',
  system: 'process',
}

function matches(pattern: string, name: string): boolean {
  const wanted = pattern.toUpperCase()
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted
}

function list(values: readonly string[]): string {
  return values.length === 0 ? '(none)' : values.join(', ')
}

/** What both allow: nobody hands out more than it has. */
export function narrowed(outer: Policy, inner: Policy): Policy {
  const both = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined) =>
    a && b ? b.filter((one) => a.includes(one)) : (b ?? a)
  const connectors = both(outer.connectors, inner.connectors)
  const effects = both(outer.effects, inner.effects)
  const users = both(outer.users, inner.users)
  const denied = [...(outer.deny_tools ?? []), ...(inner.deny_tools ?? [])]
  const tools = outer.tools && inner.tools ? commonPatterns(outer.tools, inner.tools) : (inner.tools ?? outer.tools)
  return {
    ...(connectors && { connectors }),
    ...(effects && { effects }),
    ...(users && { users }),
    ...(tools && { tools }),
    ...(denied.length > 0 && { deny_tools: denied }),
  }
}

/** Whether nothing is allowed by `inner` that `outer` refuses. Users are left out: who may be acted for is asked apart. */
export function isWithin(outer: Policy, inner: Policy): boolean {
  const some = <T>(most: readonly T[] | undefined, given: readonly T[] | undefined) =>
    !most || given?.every((one) => most.includes(one)) === true
  return (
    some(outer.connectors, inner.connectors) &&
    some(outer.effects, inner.effects) &&
    (!outer.tools || inner.tools?.every((name) => covered(outer.tools, name)) === true) &&
    (outer.deny_tools ?? []).every((name) => covered(inner.deny_tools, name))
  )
}

/** What two lists of names and patterns both match: of each pair the narrower one. */
function commonPatterns(some: readonly string[], others: readonly string[]): string[] {
  return [
    ...new Set([...others.filter((name) => covered(some, name)), ...some.filter((name) => covered(others, name))]),
  ]
}

function covered(patterns: readonly string[] | undefined, name: string): boolean {
  return patterns?.some((pattern) => within(pattern.toUpperCase(), name.toUpperCase())) ?? false
}

/** A pattern or name that another pattern wholly covers. */
function within(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}
