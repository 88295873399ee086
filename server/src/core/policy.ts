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
  const tools =
    outer.tools && inner.tools
      ? inner.tools.filter((name) => outer.tools?.some((pattern) => within(pattern, name)))
      : (inner.tools ?? outer.tools)
  return {
    ...(connectors && { connectors }),
    ...(effects && { effects }),
    ...(users && { users }),
    ...(tools && { tools }),
    ...(denied.length > 0 && { deny_tools: denied }),
  }
}

/** A pattern or name that another pattern wholly covers. */
function within(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}
