import { createEmulator, type Emulator } from 'emulate'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { slack } from '../../src/connectors/slack/connector.ts'
import { directService, runTool } from './direct-service.ts'

const BOT_SCOPES = Object.entries(slack.scopes).flatMap(([scope, info]) => (info.token === 'bot' ? [scope] : []))

let emulator: Emulator
beforeAll(async () => {
  emulator = await createEmulator({
    service: 'slack',
    port: 0,
    seed: {
      slack: {
        strict_scopes: true,
        team: { name: 'Ghostbusters', domain: 'ghosts' },
        users: [
          { name: 'ann', real_name: 'Ann Lee', email: 'ann@example.com' },
          { name: 'bob', real_name: 'Bob Ray', email: 'bob@example.com' },
        ],
        channels: [
          { name: 'general', topic: 'Everything' },
          { name: 'random', topic: 'Lunch' },
          { name: 'lunch', topic: 'The General’s table' },
        ],
        bots: [{ name: 'patchbay' }],
        tokens: [
          { token: 'xoxp-all', user: 'ann', scopes: BOT_SCOPES },
          { token: 'xoxp-reader', user: 'ann', scopes: ['channels:read'] },
        ],
      },
    },
  })
})
beforeEach(() => emulator.reset())
afterAll(() => emulator.close())

const as = (token: string) =>
  directService({ base: `${emulator.url}/api`, token: { bot: token }, failure: slack.failure })
const run = (name: string, input: Record<string, unknown>, token = 'xoxp-all') =>
  runTool(slack, `SLACK_${name}`, input, as(token))

async function channelNamed(name: string): Promise<string> {
  const { channels } = await run('FIND_CHANNELS', { query: name, exact_match: true })
  return channels[0].id
}

describe('Slack tools against the emulator', () => {
  test('name the account that connected', async () => {
    const account = await slack.account(as('xoxp-all'), {})
    const me = await run('TEST_AUTH', {})

    expect(account.label).toBe('ann @ Ghostbusters')
    expect(account.id).toBe(`${me.team_id}:${me.user_id}`)
    expect(account.organisation).toBe('Ghostbusters')
  })

  test('post, reply, read, react, edit and delete', async () => {
    const channel = await channelNamed('general')

    const posted = await run('SEND_MESSAGE', { channel_id: channel, text: 'Grüße 👋', blocks: '[{"type":"divider"}]' })
    const reply = await run('REPLY_TO_A_THREAD', { channel, thread_ts: posted.ts, text: 'Hello back' })
    const thread = await run('FETCH_MESSAGE_THREAD_FROM_A_CONVERSATION', { channel, ts: posted.ts })
    await run('ADD_REACTION_TO_AN_ITEM', { channel, timestamp: posted.ts, name: ':wave:' })
    const reactions = await run('FETCH_ITEM_REACTIONS', { channel, timestamp: posted.ts })
    const history = await run('FETCH_CONVERSATION_HISTORY', { channel })
    const edited = await run('UPDATES_A_SLACK_MESSAGE', { channel, ts: posted.ts, text: 'Edited' })
    await run('REMOVE_REACTION_FROM_ITEM', { channel, timestamp: posted.ts, name: 'wave' })
    const link = await run('RETRIEVE_MESSAGE_PERMALINK_URL', { channel, message_ts: posted.ts })
    await run('DELETES_A_MESSAGE_FROM_A_CHAT', { channel, ts: posted.ts })
    const after = await run('FETCH_CONVERSATION_HISTORY', { channel })

    expect(posted).toMatchObject({ channel, message: { text: 'Grüße 👋' } })
    expect(thread.messages.map(({ ts }: { ts: string }) => ts)).toEqual([posted.ts, reply.ts])
    expect(reactions.reactions).toEqual([expect.objectContaining({ name: 'wave', count: 1 })])
    expect(history.messages.find(({ ts }: { ts: string }) => ts === posted.ts)).toMatchObject({
      text: 'Grüße 👋',
      reply_count: 1,
      reactions: [{ name: 'wave', count: 1 }],
    })
    expect(edited.message.text).toBe('Edited')
    expect(link.permalink).toMatch(/^https?:/)
    expect(after.messages.map(({ ts }: { ts: string }) => ts)).not.toContain(posted.ts)
  })

  test('page through history with the cursor, without gaps or repeats', async () => {
    const channel = await channelNamed('random')
    for (let n = 1; n <= 5; n++) await run('SEND_MESSAGE', { channel, text: `message ${n}` })

    const first = await run('FETCH_CONVERSATION_HISTORY', { channel, limit: 2 })
    const second = await run('FETCH_CONVERSATION_HISTORY', { channel, limit: 10, cursor: first.next_cursor })

    const texts = [...first.messages, ...second.messages].map(({ text }: { text: string }) => text)
    expect(first.has_more).toBe(true)
    expect(texts.slice(0, 5)).toEqual(['message 5', 'message 4', 'message 3', 'message 2', 'message 1'])
    expect(second).toMatchObject({ has_more: false, next_cursor: null })
  })

  test('find, list, create, join and describe channels', async () => {
    const created = await run('CREATE_CHANNEL', { name: 'project-apollo' })
    await run('SET_THE_TOPIC_OF_A_CONVERSATION', { channel: created.id, topic: 'Moon' })
    await run('SET_CONVERSATION_PURPOSE', { channel: created.id, purpose: 'Landing' })
    const { users } = await run('FIND_USERS', { search_query: 'bob' })
    await run('INVITE_USERS_TO_A_SLACK_CHANNEL', { channel: created.id, users: users[0].id })
    const info = await run('RETRIEVE_CONVERSATION_INFORMATION', { channel: created.id })
    const members = await run('RETRIEVE_CONVERSATION_MEMBERS_LIST', { channel: created.id })
    const byTopic = await run('FIND_CHANNELS', { query: '#general' })
    const all = await run('LIST_ALL_CHANNELS', { limit: 2 })
    const rest = await run('LIST_ALL_CHANNELS', { cursor: all.next_cursor })
    await run('LEAVE_CONVERSATION', { channel: created.id })
    const joined = await run('JOIN_AN_EXISTING_CONVERSATION', { channel: created.id })
    await run('ARCHIVE_CONVERSATION', { channel: created.id })
    const left = await run('FIND_CHANNELS', { query: 'apollo' })

    expect(info).toMatchObject({ name: 'project-apollo', type: 'public_channel', topic: 'Moon', purpose: 'Landing' })
    expect(members.members).toContain(users[0].id)
    expect(byTopic.channels.map(({ name }: { name: string }) => name)).toEqual(['general', 'lunch'])
    expect([...all.channels, ...rest.channels]).toHaveLength(4)
    expect(joined.is_member).toBe(true)
    expect(left.channels).toEqual([])
  })

  test('find people by name and by address, and open a direct message', async () => {
    const byName = await run('FIND_USERS', { query: 'ann l' })
    const byAddress = await run('FIND_USER_BY_EMAIL_ADDRESS', { email: 'bob@example.com' })
    const nobody = await run('FIND_USERS', { email: 'nobody@example.com' })
    const everybody = await run('LIST_ALL_USERS', {})
    const details = await run('RETRIEVE_DETAILED_USER_INFORMATION', { user: byAddress.id })
    const direct = await run('OPEN_DM', { users: byAddress.id })
    const again = await run('OPEN_DM', { users: byAddress.id })
    const posted = await run('SEND_MESSAGE', { channel: direct.id, text: 'Only for you' })

    expect(byName.users).toEqual([expect.objectContaining({ name: 'ann', email: 'ann@example.com' })])
    expect(details).toMatchObject({ name: 'bob', real_name: 'Bob Ray', is_bot: false })
    expect(nobody.users).toEqual([])
    expect(everybody.users.length).toBeGreaterThanOrEqual(2)
    expect(again).toMatchObject({ id: direct.id, already_open: true })
    expect(posted.channel).toBe(direct.id)
  })

  test('upload text and bytes, share them, list them and delete them', async () => {
    const channel = await channelNamed('general')
    const bytes = Buffer.from([0, 1, 2, 255])

    const text = await run('UPLOAD_OR_CREATE_A_FILE_IN_SLACK', {
      content: 'a;b\n1;2',
      filename: 'report.csv',
      channels: channel,
      initial_comment: 'The report',
    })
    const binary = await run('UPLOAD_OR_CREATE_A_FILE_IN_SLACK', { file: bytes.toString('base64'), filename: 'a.bin' })
    const listed = await run('LIST_FILES_WITH_FILTERS_IN_SLACK', { channel })
    const history = await run('FETCH_CONVERSATION_HISTORY', { channel })
    await run('DELETE_FILE', { file: text.id })
    const left = await run('LIST_FILES_WITH_FILTERS_IN_SLACK', { channel })

    expect(text).toMatchObject({ name: 'report.csv', size: 7, shared_in: [channel] })
    expect(binary).toMatchObject({ name: 'a.bin', size: bytes.length, shared_in: [] })
    expect(listed.files).toEqual([expect.objectContaining({ id: text.id, name: 'report.csv' })])
    expect(history.messages[0]).toMatchObject({ text: 'The report', files: [{ id: text.id }] })
    expect(left.files).toEqual([])
  })

  test('pin and unpin a message, schedule one and cancel it', async () => {
    const channel = await channelNamed('general')
    await run('JOIN_AN_EXISTING_CONVERSATION', { channel })
    const posted = await run('SEND_MESSAGE', { channel, text: 'Keep this' })
    await run('PIN_ITEM', { channel, timestamp: posted.ts })
    const pinned = await run('LIST_PINNED_ITEMS', { channel })
    await run('UNPIN_ITEM', { channel, timestamp: posted.ts })
    const unpinned = await run('LIST_PINNED_ITEMS', { channel })
    const at = new Date(Date.now() + 86_400_000).toISOString()
    const queued = await run('SCHEDULE_MESSAGE', { channel, text: 'Tomorrow', post_at: at })
    const waiting = await run('LIST_SCHEDULED_MESSAGES', { channel })
    const { scheduled_message_id } = queued
    await run('DELETE_SCHEDULED_MESSAGE', { channel, scheduled_message_id })
    const cancelled = await run('LIST_SCHEDULED_MESSAGES', { channel })

    expect(pinned.items).toEqual([expect.objectContaining({ message: expect.objectContaining({ ts: posted.ts }) })])
    expect(unpinned.items).toEqual([])
    expect(queued.post_at).toBe(Math.floor(Date.parse(at) / 1000))
    expect(waiting.scheduled_messages).toEqual([expect.objectContaining({ scheduled_message_id, text: 'Tomorrow' })])
    expect(cancelled.scheduled_messages).toEqual([])
  })

  test('show a message to one person only', async () => {
    const channel = await channelNamed('general')
    const { id } = await run('FIND_USER_BY_EMAIL_ADDRESS', { email: 'bob@example.com' })

    await run('JOIN_AN_EXISTING_CONVERSATION', { channel })
    await expect(run('SEND_EPHEMERAL_MESSAGE', { channel, user: id, text: 'Psst' })).rejects.toThrow(/INVITE_USERS/)
    await run('INVITE_USERS_TO_A_SLACK_CHANNEL', { channel, users: id })
    const shown = await run('SEND_EPHEMERAL_MESSAGE', { channel, user: id, text: 'Psst' })
    const history = await run('FETCH_CONVERSATION_HISTORY', { channel })

    expect(shown).toMatchObject({ channel, user: id, message_ts: expect.stringMatching(/^\d+\.\d+$/) })
    expect(history.messages.map(({ text }: { text: string }) => text)).not.toContain('Psst')
  })

  test('say what to do about a refusal', async () => {
    const channel = await channelNamed('general')

    await expect(run('SEND_MESSAGE', { channel: 'C000', text: 'x' })).rejects.toMatchObject({
      code: 'provider_rejected',
      message: expect.stringContaining('SLACK_FIND_CHANNELS'),
    })
    await expect(run('SEND_MESSAGE', { channel, text: 'x' }, 'xoxp-reader')).rejects.toMatchObject({
      code: 'missing_scope',
      message: expect.stringContaining('chat:write'),
    })
    await expect(run('SEND_MESSAGE', { channel })).rejects.toMatchObject({ code: 'invalid_input' })
  })
})
