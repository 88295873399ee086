import type { Client } from '@patchbay/sdk'
import type { Emulators } from './emulators.ts'
import type { Person } from './person.ts'

export interface Stage {
  client: Client
  person: Person
  emulators: Emulators
  /** Moves the gateway's clock. */
  advance(ms: number): void
}

const USER = 'ada'

/** The story of the gateway, step by step; each throws when what it shows is not so. */
export const STEPS: readonly { title: string; run(stage: Stage): Promise<string> }[] = [
  { title: 'Ada connects Gmail', run: (stage) => connect(stage, 'gmail', 'ada@example.com') },
  {
    title: 'An agent sends a mail',
    async run({ client }) {
      const sent = await call(client, 'GMAIL_SEND_EMAIL', {
        recipient_email: 'ada@example.com',
        subject: 'Grüße from the gateway',
        body: 'Sent by an agent, through Patchbay.',
      })
      return `message ${pick(sent, 'id')}`
    },
  },
  {
    title: 'and finds it by search',
    async run({ client }) {
      const found = (await call(client, 'GMAIL_FETCH_EMAILS', { query: 'subject:gateway', max_results: 5 })) as {
        messages?: unknown[]
      }
      const [first] = found.messages ?? []
      if (pick(first, 'subject') !== 'Grüße from the gateway')
        throw new Error(`search answered ${JSON.stringify(found).slice(0, 300)}`)
      return `"${pick(first, 'subject')}"`
    },
  },
  { title: 'Ada connects Slack', run: (stage) => connect(stage, 'slack', 'ada') },
  {
    title: 'An agent posts to #general',
    async run({ client }) {
      const listed = (await call(client, 'SLACK_LIST_ALL_CHANNELS', {})) as {
        channels?: { id: string; name: string }[]
      }
      const general = listed.channels?.find((channel) => channel.name === 'general')
      if (!general) throw new Error(`no #general in ${JSON.stringify(listed).slice(0, 300)}`)
      const posted = await call(client, 'SLACK_SEND_MESSAGE', {
        channel: general.id,
        text: 'Good morning from Patchbay',
      })
      return `ts ${pick(posted, 'ts')}`
    },
  },
  { title: 'Ada connects GitHub', run: (stage) => connect(stage, 'github', 'ada') },
  {
    title: 'An agent opens an issue',
    async run({ client }) {
      const issue = await call(client, 'GITHUB_CREATE_AN_ISSUE', {
        owner: 'ada',
        repo: 'engine',
        title: 'Oil the wheels',
        body: 'They squeak.',
      })
      return `#${pick(issue, 'number')}`
    },
  },
  {
    title: 'Two hours pass: the Google token has expired, and is refreshed on use',
    async run({ client, advance }) {
      advance(2 * 60 * 60_000)
      await call(client, 'GMAIL_LIST_LABELS', {})
      const { items } = await client.events.list({ types: ['connection.refreshed'], user_id: USER })
      if (items.length !== 1) throw new Error(`${items.length} refreshes instead of 1`)
      return `refreshed once, in ${items[0]?.duration_ms} ms`
    },
  },
  {
    title: 'Ada removes the app in her Google account: the next call says what to do',
    async run({ client, advance, emulators }) {
      await emulators.google.reset()
      advance(2 * 60 * 60_000)
      const error = await call(client, 'GMAIL_LIST_LABELS', {}).then(
        () => undefined,
        (thrown: { code?: string; message: string; fix?: { url?: string } }) => thrown,
      )
      if (error?.code !== 'needs_reauth' || !error.fix?.url)
        throw new Error(`expected needs_reauth with a link, got ${error?.code}: ${error?.message}`)
      return `${error.code}: ${error.message}`
    },
  },
  {
    title: 'Ada disconnects GitHub',
    async run({ client }) {
      const [connection] = (await client.connections.list({ user_id: USER })).items.filter(
        (one) => one.connector === 'github',
      )
      if (!connection) throw new Error('GitHub is not connected')
      const { message } = await client.connections.disconnect(connection.id, { user_id: USER })
      return message
    },
  },
]

async function connect({ client, person }: Stage, connector: string, account: string): Promise<string> {
  const started = await client.connect({ user_id: USER, provider: connector, tools: ['*'] })
  const page = await person.visit(started.auth_url, account)
  const connection = await client.connections.get(started.connection_id, { user_id: USER })
  if (connection.status !== 'active')
    throw new Error(`${connector} is ${connection.status} after ${new URL(page.url).pathname}`)
  return `as ${connection.account?.label}, ${connection.permissions.length} permissions`
}

async function call(client: Client, action: string, params: Record<string, unknown>): Promise<unknown> {
  return (await client.tools.execute({ user_id: USER, action, params })).result
}

function pick(value: unknown, key: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[key]
}
