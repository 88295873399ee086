import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { MAX_PAGES } from '../../src/connectors/slack/call.ts'
import { slack } from '../../src/connectors/slack/connector.ts'
import { directService, runTool } from './direct-service.ts'
import { ContractBreach } from './openapi.ts'
import { type FormContract, type NewerMethod, slackContract } from './swagger.ts'

const BASE = 'https://slack.com/api'
const SPEC = new URL('../../../../shared/reference/specs/slack/slack_web_openapi_v2.json', import.meta.url)
const missing = existsSync(SPEC)
  ? ''
  : ' (skipped: ../shared/reference/specs/slack/slack_web_openapi_v2.json is missing)'

/**
 * What Slack added after its description was frozen in September 2021.
 * https://docs.slack.dev/reference/methods
 */
const MESSAGE = { markdown_text: 'string', blocks: 'json', attachments: 'json' } as const
const NEWER: Record<string, NewerMethod> = {
  'chat.postMessage': { args: MESSAGE },
  'chat.update': {
    args: { ...MESSAGE, file_ids: 'json', metadata: 'json', reply_broadcast: 'boolean', link_names: 'boolean' },
  },
  'chat.postEphemeral': { args: MESSAGE },
  'chat.scheduleMessage': { args: MESSAGE },
  'conversations.history': { args: { include_all_metadata: 'boolean' } },
  'conversations.replies': { args: { include_all_metadata: 'boolean', team_id: 'string' } },
  'conversations.list': { args: { team_id: 'string' } },
  'conversations.create': { args: { team_id: 'string' } },
  'users.list': { args: { team_id: 'string' } },
  'search.messages': { args: { team_id: 'string' } },
  'files.getUploadURLExternal': {
    args: { filename: 'string', length: 'integer', snippet_type: 'string', alt_txt: 'string' },
    required: ['filename', 'length'],
    answer: { ok: true, upload_url: 'https://files.slack.com/upload/v1/abc', file_id: 'F123ABC456' },
  },
  'files.completeUploadExternal': {
    args: {
      files: 'json',
      channel_id: 'string',
      channels: 'string',
      thread_ts: 'string',
      initial_comment: 'string',
      blocks: 'json',
    },
    required: ['files'],
    answer: { ok: true, files: [{ id: 'F123ABC456', title: 'slack-test' }] },
  },
}

const channel = 'C1234567890'
const ts = '1405894322.002768'
const rich = { blocks: [{ type: 'divider' }], attachments: '[{"text":"a"}]', link_names: true, parse: 'full' }

/** Every tool with every argument it takes. */
const CALLS: Record<string, Record<string, unknown>[]> = {
  SLACK_SEND_MESSAGE: [
    {
      channel,
      text: 'Hello',
      ...rich,
      thread_ts: ts,
      reply_broadcast: true,
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: true,
    },
    { channel_id: channel, markdown_text: '**Hello**' },
  ],
  SLACK_REPLY_TO_A_THREAD: [
    { channel, thread_ts: ts, text: 'Hello', ...rich, reply_broadcast: false, unfurl_links: true, unfurl_media: true },
  ],
  SLACK_UPDATES_A_SLACK_MESSAGE: [
    {
      channel,
      ts,
      text: 'New',
      ...rich,
      reply_broadcast: true,
      file_ids: ['F1'],
      metadata: { event_type: 'a', event_payload: {} },
    },
    { channel, ts, markdown_text: '**New**' },
  ],
  SLACK_DELETES_A_MESSAGE_FROM_A_CHAT: [{ channel, ts }],
  SLACK_SEND_EPHEMERAL_MESSAGE: [{ channel, user: 'U1', text: 'Psst', ...rich, thread_ts: ts }],
  SLACK_SCHEDULE_MESSAGE: [
    {
      channel,
      post_at: '2030-01-01T00:00:00Z',
      text: 'Later',
      ...rich,
      thread_ts: ts,
      reply_broadcast: true,
      unfurl_links: true,
      unfurl_media: true,
    },
  ],
  SLACK_LIST_SCHEDULED_MESSAGES: [{ channel, oldest: '1562137200', latest: 1562180400, limit: 100, cursor: 'abc' }, {}],
  SLACK_DELETE_SCHEDULED_MESSAGE: [{ channel, scheduled_message_id: 'Q1298393284' }],
  SLACK_RETRIEVE_MESSAGE_PERMALINK_URL: [{ channel, message_ts: ts }],
  SLACK_FETCH_CONVERSATION_HISTORY: [
    {
      channel,
      limit: 20,
      cursor: 'abc',
      oldest: '1405894322',
      latest: ts,
      inclusive: true,
      include_all_metadata: true,
    },
  ],
  SLACK_FETCH_MESSAGE_THREAD_FROM_A_CONVERSATION: [
    {
      channel,
      ts,
      limit: 20,
      cursor: 'abc',
      oldest: '0',
      latest: ts,
      inclusive: true,
      include_all_metadata: true,
      team_id: 'T1',
    },
  ],
  SLACK_SEARCH_MESSAGES: [
    { query: 'pickleface', count: 50, page: 2, sort: 'timestamp', sort_dir: 'asc', highlight: true, team_id: 'T1' },
  ],
  SLACK_FIND_CHANNELS: [
    {
      query: 'general',
      types: 'public_channel,private_channel',
      exclude_archived: false,
      cursor: 'abc',
      team_id: 'T1',
    },
  ],
  SLACK_LIST_ALL_CHANNELS: [
    { limit: 10, cursor: 'abc', types: 'public_channel', exclude_archived: true, team_id: 'T1' },
  ],
  SLACK_LIST_CONVERSATIONS: [{ user: 'U1', types: 'im,mpim', exclude_archived: true, limit: 10, cursor: 'abc' }],
  SLACK_RETRIEVE_CONVERSATION_INFORMATION: [{ channel, include_locale: true, include_num_members: true }],
  SLACK_RETRIEVE_CONVERSATION_MEMBERS_LIST: [{ channel, limit: 10, cursor: 'abc' }],
  SLACK_JOIN_AN_EXISTING_CONVERSATION: [{ channel }],
  SLACK_LEAVE_CONVERSATION: [{ channel }],
  SLACK_CREATE_CHANNEL: [{ name: 'new-one', is_private: true, team_id: 'T1' }],
  SLACK_INVITE_USERS_TO_A_SLACK_CHANNEL: [{ channel, users: 'U1, U2' }],
  SLACK_SET_THE_TOPIC_OF_A_CONVERSATION: [{ channel, topic: 'Apply topically' }],
  SLACK_SET_CONVERSATION_PURPOSE: [{ channel, purpose: 'To talk' }],
  SLACK_ARCHIVE_CONVERSATION: [{ channel }],
  SLACK_OPEN_DM: [{ users: 'U1,U2', return_im: true }, { channel: 'D1' }],
  SLACK_FIND_USERS: [
    { search_query: 'spengler', include_locale: true, team_id: 'T1', cursor: 'abc' },
    { email: 'spengler@ghostbusters.example.com' },
  ],
  SLACK_FIND_USER_BY_EMAIL_ADDRESS: [{ email: 'spengler@ghostbusters.example.com' }],
  SLACK_LIST_ALL_USERS: [{ limit: 10, cursor: 'abc', include_locale: true, team_id: 'T1' }],
  SLACK_RETRIEVE_DETAILED_USER_INFORMATION: [{ user: 'W012A3CDE', include_locale: true }],
  SLACK_TEST_AUTH: [{}],
  SLACK_ADD_REACTION_TO_AN_ITEM: [{ channel, timestamp: ts, name: ':thumbsup:' }],
  SLACK_REMOVE_REACTION_FROM_ITEM: [{ channel, timestamp: ts, name: 'thumbsup' }],
  SLACK_FETCH_ITEM_REACTIONS: [{ channel, timestamp: ts, full: true }],
  SLACK_PIN_ITEM: [{ channel, timestamp: ts }],
  SLACK_UNPIN_ITEM: [{ channel, timestamp: ts }],
  SLACK_LIST_PINNED_ITEMS: [{ channel }],
  SLACK_UPLOAD_OR_CREATE_A_FILE_IN_SLACK: [
    {
      content: 'print(1)',
      filename: 'a.py',
      title: 'A',
      filetype: 'python',
      channels: channel,
      thread_ts: ts,
      initial_comment: 'Look',
    },
    { file: 'AAEC', filename: 'a.bin', channels: 'C1,C2' },
  ],
  SLACK_LIST_FILES_WITH_FILTERS_IN_SLACK: [
    {
      channel,
      user: 'U1',
      types: 'images',
      ts_from: '123456789',
      ts_to: '2026-01-01T00:00:00Z',
      count: '20',
      page: 1,
      show_files_hidden_by_limit: true,
    },
  ],
  SLACK_DELETE_FILE: [{ file: 'F1' }],
}

describe.skipIf(missing)(`Slack’s official description${missing}`, () => {
  let contract: FormContract
  beforeAll(() => {
    contract = slackContract({ base: BASE, definition: JSON.parse(readFileSync(SPEC, 'utf8')), newer: NEWER })
  })

  const service = () =>
    directService({
      base: BASE,
      token: { bot: 'not-a-token', user: 'not-one-either' },
      failure: slack.failure,
      // The upload goes to an address outside the Web API.
      fetch: (url, init) =>
        url === 'https://files.slack.com/upload/v1/abc'
          ? Promise.resolve(new Response('OK'))
          : contract.fetch(url, init),
    })

  test('has a call here for every tool', () => {
    expect(Object.keys(CALLS).sort()).toEqual(Object.keys(slack.tools).sort())
  })

  test.each(Object.keys(CALLS))('allows every request of %s and the tool reads its example', async (name) => {
    for (const input of CALLS[name] ?? []) {
      const answer = await runTool(slack, name, input, service())

      expect(answer).toBeTypeOf('object')
      expect(Object.values(answer).some((value) => value !== undefined && value !== null)).toBe(true)
    }
  })

  test('reads the official examples of messages, channels and people', async () => {
    const history = await runTool(slack, 'SLACK_FETCH_CONVERSATION_HISTORY', { channel }, service())
    const channels = await runTool(slack, 'SLACK_LIST_ALL_CHANNELS', {}, service())
    const found = await runTool(slack, 'SLACK_FIND_USERS', { search_query: 'SPENGLER' }, service())

    expect(history.messages[0]).toMatchObject({
      ts: '1512085950.000216',
      user: 'U012AB3CDE',
      text: 'I find you punny and would like to smell your nose letter',
    })
    expect(channels.channels[0]).toMatchObject({ id: 'C012AB3CD', name: 'general', type: 'public_channel' })
    // The example always names a next page: reading stops at the stated number of pages and hands the cursor on.
    expect(found.users).toHaveLength(MAX_PAGES)
    expect(found.users[0]).toMatchObject({ id: 'W012A3CDE', name: 'spengler' })
    expect(found.next_cursor).toBe('dXNlcjpVMEc5V0ZYTlo=')
  })

  test('allows the requests that name the account', async () => {
    const account = await slack.account(service(), { user_id: 'W012A3CDE', team_name: 'Ghosts' })

    expect(account).toMatchObject({ id: 'T12345678:W12345678', label: 'spengler @ Subarachnoid Workspace' })
  })

  test.each<[string, string, Record<string, string>, RegExp]>([
    ['an unknown method', 'chat.shout', {}, /no method/],
    [
      'an argument that is not described',
      'chat.postMessage',
      { channel, text: 'a', thread: ts },
      /thread, which is not described/,
    ],
    ['a missing argument', 'reactions.add', { channel, name: 'a' }, /lacks timestamp/],
    ['a value of the wrong kind', 'conversations.history', { channel, limit: 'many' }, /no integer/],
    ['blocks that are not JSON', 'chat.postMessage', { channel, blocks: 'x' }, /no json/],
  ])('refuses %s', (_, method, form, reason) => {
    expect(contract.problems(method, new URLSearchParams(form)).join('\n')).toMatch(reason)
  })

  test('fails loudly when a tool sends JSON or asks with GET', async () => {
    await expect(service().post('/chat.postMessage', { channel, text: 'a' })).rejects.toThrow(ContractBreach)
    await expect(service().get('/auth.test')).rejects.toThrow(ContractBreach)
  })
})
