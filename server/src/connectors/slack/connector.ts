import type { Account } from '../../core/connection.ts'
import { defineConnector, type Service } from '../../core/connector.ts'
import { slackProvider } from '../providers/slack.ts'
import { call } from './call.ts'
import { channelTools } from './channels.ts'
import { slackFailure } from './failure.ts'
import { fileTools } from './files.ts'
import { messageTools } from './messages.ts'
import { peopleTools } from './people.ts'
import { reactionTools } from './reactions.ts'
import { readingTools } from './reading.ts'
import { scopes } from './scopes.ts'

export const slack = defineConnector({
  id: 'slack',
  kind: 'api',
  name: 'Slack',
  description: 'Read and post messages, find channels and people, share files in a Slack workspace.',
  category: 'Chat',
  provider: slackProvider,
  api: 'https://slack.com/api',
  uploadHosts: ['files.slack.com'],
  scopes,
  identityScopes: ['users:read'],
  account,
  failure: slackFailure,
  tools: { ...messageTools, ...readingTools, ...channelTools, ...peopleTools, ...reactionTools, ...fileTools },
})

/**
 * The identity is the one tools act as: the workspace's bot where its token is held (every install of the app in a
 * workspace shares that one token), else the person. The label names the person who connected.
 */
async function account(service: Service, captured: Readonly<Record<string, string>>): Promise<Account> {
  // Neither is known of a token brought from elsewhere without its scopes; whichever is held answers then.
  const own = ['bot', 'user'].find((name) => service.tokens.includes(name))
  const identity = await call(service, 'auth.test', {}, own)
  const team = identity.team ?? captured['team_name'] ?? identity.team_id
  const name = (await personName(service, captured, own, identity)) ?? identity.user ?? identity.user_id
  return {
    id: `${identity.team_id}:${identity.user_id}`,
    label: `${name} @ ${team}`,
    organisation: String(team),
  }
}

/** Best effort: a connection without it still works, so a refusal only costs the nicer label. */
async function personName(
  service: Service,
  captured: Readonly<Record<string, string>>,
  own: string | undefined,
  identity: any,
): Promise<string | undefined> {
  const user = captured['user_id']
  if (!user || user === identity.user_id) return undefined
  try {
    const info = await call(service, 'users.info', { user }, own)
    return info.user?.profile?.display_name || info.user?.real_name || info.user?.name || undefined
  } catch {
    service.signal.throwIfAborted()
    return undefined
  }
}
