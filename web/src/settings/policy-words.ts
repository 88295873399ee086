import type { Policy } from '@patchbay/sdk'

/** A policy in a few words; "No limits" for an empty one. */
export function policyInWords(policy: Policy): string {
  const words: string[] = []
  if (policy.effects) words.push(effectsInWords(policy.effects))
  if (policy.connectors) words.push(counted(policy.connectors, 'connector'))
  if (policy.tools) words.push(counted(policy.tools, 'tool'))
  if (policy.deny_tools?.length) words.push(`not ${policy.deny_tools.join(', ')}`)
  if (policy.users) words.push(counted(policy.users, 'user'))
  return words.length === 0 ? 'No limits' : words.join(' · ')
}

function effectsInWords(effects: NonNullable<Policy['effects']>): string {
  const allowed = new Set(effects)
  if (allowed.size === 0) return 'No tools'
  if (allowed.size === 1 && allowed.has('read')) return 'Read only'
  return allowed.has('destructive') ? `Only ${[...allowed].join(', ')}` : 'Nothing destructive'
}

function counted(names: readonly string[], noun: string): string {
  if (names.length === 0) return `no ${noun}s`
  return names.length <= 3 ? `only ${names.join(', ')}` : `${names.length} ${noun}s`
}

/** The policy a form stands for; absent members limit nothing. Names are separated by commas, spaces or lines. */
export function policyOf(form: PolicyForm): Policy {
  const connectors = [...form.connectors].sort()
  const tools = names(form.tools)
  const deny = names(form.denyTools)
  return {
    ...(form.effects === 'read' && { effects: ['read' as const] }),
    ...(form.effects === 'write' && { effects: ['read' as const, 'write' as const] }),
    ...(connectors.length > 0 && { connectors }),
    ...(tools.length > 0 && { tools }),
    ...(deny.length > 0 && { deny_tools: deny }),
  }
}

export interface PolicyForm {
  effects: 'all' | 'write' | 'read'
  connectors: ReadonlySet<string>
  tools: string
  denyTools: string
}

/** The form that shows a policy. `users` has no control and is carried over by the caller. */
export function policyForm(policy: Policy): PolicyForm {
  const effects = new Set(policy.effects ?? ['read', 'write', 'destructive'])
  return {
    effects: effects.has('destructive') ? 'all' : effects.has('write') ? 'write' : 'read',
    connectors: new Set(policy.connectors),
    tools: (policy.tools ?? []).join('\n'),
    denyTools: (policy.deny_tools ?? []).join('\n'),
  }
}

function names(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[\s,]+/)
        .filter(Boolean)
        .map((name) => name.toUpperCase()),
    ),
  ]
}
