import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { AGENTS, setupSteps, shellQuoted } from './agent-setups.ts'

const facts = {
  url: 'https://gateway.test/inst_1/mcp',
  token: 'tok_secret',
  origin: 'https://gateway.test',
  userId: "o'neil",
  tool: 'GMAIL_FETCH_EMAILS',
}

test.each(AGENTS.filter(({ value }) => value !== 'rest'))('$label gets the MCP address', ({ value }) => {
  expect(
    setupSteps(value, facts)
      .map(({ code }) => code)
      .join(),
  ).toContain(facts.url)
})

test('without a known token there is a word to replace', () => {
  const [step] = setupSteps('claude-code', { ...facts, token: undefined })
  expect(step?.code).toContain('Authorization: Bearer YOUR_TOKEN')
})

test('the JSON files are JSON, with the headers where each editor reads them', () => {
  const read = (agent: 'cursor' | 'vscode') => JSON.parse(setupSteps(agent, facts)[0]?.code ?? '')

  expect(read('cursor')).toEqual({
    mcpServers: { patchbay: { url: facts.url, headers: { Authorization: 'Bearer tok_secret' } } },
  })
  expect(read('vscode').servers.patchbay).toMatchObject({ type: 'http', url: facts.url })
  expect(JSON.stringify(read('vscode'))).not.toContain('tok_secret')
})

test('the REST example survives a user id with a quote in it', () => {
  const code = setupSteps('rest', facts)[0]?.code ?? ''
  const body = execFileSync('sh', ['-c', code.replace(/^curl/, 'printf "%s\\n"')], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .at(-1)

  expect(JSON.parse(body ?? '')).toEqual({ user_id: "o'neil", action: 'GMAIL_FETCH_EMAILS', params: {} })
})

test.each(['plain', 'two words', "it's", '"quoted"', '$HOME `id` \\ !', `both ' and "$x"`])(
  'a shell reads %j as one word again',
  (text) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuoted(text)}`], { encoding: 'utf8' })).toBe(text)
  },
)
