import { describe, expect, test } from 'vitest'
import { connectorMistakes } from '../../core/catalogue.ts'
import type { Connector, Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { slack } from './connector.ts'
import { message } from './shapes.ts'

/** A service that answers by method, and notes which token each call asked for. */
function workspace(answers: Record<string, unknown>, tokens = ['bot']) {
  const asked: { method: string; token: string | undefined; form: any }[] = []
  const post = async (path: string, form: unknown, options: { token?: string }) => {
    const method = path.slice(1)
    asked.push({ method, token: options.token, form })
    const answer = answers[method]
    if (answer instanceof Error) throw answer
    return answer ?? { ok: true }
  }
  const uploads: { url: string; text: string }[] = []
  const upload = async (url: string, data: Uint8Array) => {
    uploads.push({ url, text: Buffer.from(data).toString() })
  }
  const service = { post, upload, tokens, signal: new AbortController().signal } as unknown as Service
  return { service, asked, uploads }
}

function run(name: string, input: Record<string, unknown>, service: Service) {
  const tool = slack.tools[name]
  if (typeof tool?.run !== 'function') throw new Error(`${name} has no function`)
  return tool.run(tool.input.strict().parse(input), service)
}

test('the declaration has no mistakes', () => {
  expect(connectorMistakes(slack as Connector)).toEqual([])
})

test('searching uses the person’s token only, joining the app’s only', () => {
  expect(slack.tools['SLACK_SEARCH_MESSAGES']?.tokens).toEqual(['user'])
  expect(slack.tools['SLACK_JOIN_AN_EXISTING_CONVERSATION']?.tokens).toEqual(['bot'])
  expect(slack.tools['SLACK_SEND_MESSAGE']?.tokens).toEqual(['bot', 'user'])
})

describe('the account', () => {
  const bot = { ok: true, team: 'Acme', team_id: 'T1', user: 'patchbay', user_id: 'UBOT' }

  test('is the bot of the workspace, labelled with the person who connected', async () => {
    const { service, asked } = workspace({ 'auth.test': bot, 'users.info': { user: { real_name: 'Ann Lee' } } }, [
      'bot',
      'user',
    ])

    const account = await slack.account(service, { user_id: 'UANN', team_name: 'Acme' })

    expect(account).toEqual({ id: 'T1:UBOT', label: 'Ann Lee @ Acme', organisation: 'Acme' })
    expect(asked.map(({ token }) => token)).toEqual(['bot', 'bot'])
  })

  test('keeps its identity when the person’s name may not be read', async () => {
    const refused = new PatchbayError('missing_scope', 'no')
    const { service } = workspace({ 'auth.test': bot, 'users.info': refused })

    const account = await slack.account(service, { user_id: 'UANN' })

    expect(account).toMatchObject({ id: 'T1:UBOT', label: 'patchbay @ Acme' })
  })

  test('is the person where only their token is held', async () => {
    const person = { ...bot, user: 'ann', user_id: 'UANN' }
    const { service, asked } = workspace({ 'auth.test': person }, ['user'])

    const account = await slack.account(service, { user_id: 'UANN' })

    expect(account).toMatchObject({ id: 'T1:UANN', label: 'ann @ Acme' })
    expect(asked.map(({ method, token }) => [method, token])).toEqual([['auth.test', 'user']])
  })
})

describe('a message', () => {
  test.each([
    [{ channel: 'C1' }, /empty/],
    [{ channel: 'C1', text: '' }, /empty/],
    [{ channel: 'C1', text: 'a', markdown_text: 'b' }, /alone/],
    [{ channel: 'C1', blocks: 'nonsense' }, /`blocks` must be a JSON array/],
  ])('%j is refused before anything is sent', async (input, reason) => {
    const { service, asked } = workspace({})

    await expect(run('SLACK_SEND_MESSAGE', input, service)).rejects.toThrow(reason)
    expect(asked).toEqual([])
  })

  test('may lose its blocks in an edit', async () => {
    const { service, asked } = workspace({ 'chat.update': { ok: true, channel: 'C1', ts: '1.2', text: 'a' } })

    await run('SLACK_UPDATES_A_SLACK_MESSAGE', { channel: 'C1', ts: '1.2', blocks: [] }, service)

    expect(asked[0]?.form.blocks).toBe('[]')
  })

  test('of an app is readable though its text is empty', () => {
    const raw = {
      ts: '1.2',
      text: '',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Build failed' } },
        { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'on main' }] }] },
      ],
      attachments: [{ fallback: 'See the log' }],
    }

    expect(message(raw).text).toBe('Build failed\non main\nSee the log')
  })

  test('whose timestamp lost its digits as a number is refused', async () => {
    const { service } = workspace({})

    expect(() => run('SLACK_DELETES_A_MESSAGE_FROM_A_CHAT', { channel: 'C1', ts: '1712345678' }, service)).toThrow(
      /timestamp/,
    )
  })
})

describe('uploading a file', () => {
  const answers = {
    'files.getUploadURLExternal': { ok: true, upload_url: 'https://files.slack.com/upload/v1/x', file_id: 'F1' },
    'files.completeUploadExternal': { ok: true, files: [{ id: 'F1', title: 'a' }] },
  }

  test('asks for an address, sends the bytes there, and shares it', async () => {
    const { service, asked, uploads } = workspace(answers)

    const answer = await run(
      'SLACK_UPLOAD_OR_CREATE_A_FILE_IN_SLACK',
      { content: 'Grüße', filename: 'a.txt', channels: 'C1', thread_ts: '1.2', initial_comment: 'Look' },
      service,
    )

    expect(asked[0]?.form).toEqual({ filename: 'a.txt', length: '7' })
    expect(uploads).toEqual([{ url: 'https://files.slack.com/upload/v1/x', text: 'Grüße' }])
    expect(asked[1]?.form).toEqual({
      files: '[{"id":"F1","title":"a.txt"}]',
      channel_id: 'C1',
      initial_comment: 'Look',
      thread_ts: '1.2',
    })
    expect(answer).toMatchObject({ id: 'F1', name: 'a.txt', shared_in: ['C1'] })
  })

  test.each([
    [{}, /one of the two/],
    [{ content: 'a', file: 'YQ==' }, /one of the two/],
    [{ content: '' }, /empty/],
    [{ file: 'not base64!' }, /must be base64/],
    [{ content: 'a', thread_ts: '1.2' }, /exactly one channel/],
    [{ file: 'A'.repeat(14 * 1024 * 1024) }, /at most/],
  ])('refuses what cannot work', async (input, reason) => {
    const { service, asked } = workspace(answers)

    await expect(run('SLACK_UPLOAD_OR_CREATE_A_FILE_IN_SLACK', input, service)).rejects.toThrow(reason)
    expect(asked).toEqual([])
  })
})

test('finding people by an address nobody has answers nobody, other refusals stay refusals', async () => {
  const nobody = new PatchbayError('provider_rejected', 'x', { details: { error: 'users_not_found' } })
  const scope = new PatchbayError('missing_scope', 'x', { details: { error: 'missing_scope' } })

  const found = await run('SLACK_FIND_USERS', { email: 'a@b.c' }, workspace({ 'users.lookupByEmail': nobody }).service)
  const refused = run('SLACK_FIND_USERS', { email: 'a@b.c' }, workspace({ 'users.lookupByEmail': scope }).service)

  expect(found).toMatchObject({ users: [] })
  await expect(refused).rejects.toMatchObject({ code: 'missing_scope' })
})

test('finding people leaves out bots, guests and the deactivated as asked', async () => {
  const members = [
    { id: 'U1', name: 'ann', profile: { real_name: 'Ann Lee' } },
    { id: 'U2', name: 'annbot', is_bot: true },
    { id: 'U3', name: 'anna', deleted: true },
    { id: 'U4', name: 'anne', is_restricted: true },
  ]
  const ids = async (input: object) => {
    const { service } = workspace({ 'users.list': { members } })
    const { users } = (await run('SLACK_FIND_USERS', { search_query: '@ANN', ...input }, service)) as {
      users: { id: string }[]
    }
    return users.map(({ id }) => id)
  }

  expect(await ids({})).toEqual(['U1', 'U4'])
  expect(await ids({ include_bots: true, include_deleted: true, include_restricted: false })).toEqual([
    'U1',
    'U2',
    'U3',
  ])
  expect(await ids({ exact_match: true })).toEqual(['U1'])
})
