import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

/** What a process logs that runs this code, line by line. */
function logged(code: string, level = 'info'): Record<string, any>[] {
  const log = pathToFileURL(join(import.meta.dirname, 'log.ts')).href
  const program = `import { createLog } from ${JSON.stringify(log)}\nconst log = createLog('${level}')\n${code}`
  const output = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' })
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('a line is JSON with time, level and words, and quieter ones are left out', () => {
  const lines = logged(`log.info({ port: 1 }, 'ready'); log.debug('not this'); log.error('that')`)

  expect(lines).toEqual([
    { level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), port: 1, msg: 'ready' },
    { level: 'error', time: expect.any(String), msg: 'that' },
  ])
  expect(logged(`log.fatal('anything')`, 'silent')).toEqual([])
})

test('members that may hold a secret are taken out, wherever they are and however they are written', () => {
  const names = ['authorization', 'cookie', 'set-cookie', 'x-api-key', 'password', 'secret', 'client_secret']
  const more = ['clientSecret', 'access_token', 'accessToken', 'refresh_token', 'refreshToken', 'credential', 'token']
  const all = [...names, ...more, 'Authorization', 'X-API-Key', 'PASSWORD']
  const secrets = JSON.stringify(Object.fromEntries(all.map((name) => [name, 'c4n4ry'])))

  const lines = logged(`
    const secrets = ${secrets}
    log.info(secrets)
    log.info({ one: secrets, kept: 'kept' })
    log.info({ request: { headers: secrets }, list: [secrets, [{ deep: { deeper: secrets } }]] })
    log.info({ token: { value: 'c4n4ry' } })
    log.child({}).warn({ about: { grant: { tokens: { default: secrets } } } })
  `)

  expect(lines).toHaveLength(5)
  expect(JSON.stringify(lines)).not.toContain('c4n4ry')
  expect(lines[1]).toMatchObject({ kept: 'kept', one: { password: '[redacted]', Authorization: '[redacted]' } })
})

test('what refers to itself, or is nested without end, is logged all the same', () => {
  const lines = logged(`
    const loop = { name: 'loop' }
    loop.loop = loop
    log.info({ loop }, 'still')
    let deep = { token: 'c4n4ry' }
    for (let level = 0; level < 10_000; level++) deep = { deep }
    log.info({ deep }, 'here')
  `)

  expect(lines.map((line) => line['msg'])).toEqual(['still', 'here'])
  expect(JSON.stringify(lines)).not.toContain('c4n4ry')
})

test('of an error its kind, code, message and stack are logged with its causes, and nothing it carries along', () => {
  const [line] = logged(`
    const cause = Object.assign(new TypeError('below'), { options: { headers: 'c4n4ry' } })
    const error = new Error('above', { cause })
    Object.assign(error, { code: 'E_ODD', request: { body: 'c4n4ry' }, response: 'c4n4ry' })
    log.error({ err: error }, 'failed')
  `)

  expect(line).toMatchObject({
    msg: 'failed',
    err: { type: 'Error', code: 'E_ODD', message: 'above', cause: { type: 'TypeError', message: 'below' } },
  })
  expect(line?.['err'].stack).toMatch(/^\s+at /)
  expect(JSON.stringify(line)).not.toContain('c4n4ry')
})

test('a long message is cut, in the stack too; causes end; and what is no Error is said to be none', () => {
  const lines = logged(`
    log.error({ err: new Error('line\\n'.repeat(1_000) + 'c4n4ry') })
    let error = new Error('bottom')
    for (let level = 0; level < 100; level++) error = new Error('level ' + level, { cause: error })
    log.error({ err: error })
    log.error({ err: 'c4n4ry' })
    log.error(new Error('x'.repeat(1_000) + 'c4n4ry'))
  `)

  expect(lines).toHaveLength(4)
  expect(lines[0]?.['err'].message).toHaveLength(1_000)
  expect(JSON.stringify(lines)).not.toMatch(/c4n4ry|bottom/)
  expect(lines[2]?.['err']).toEqual({ message: 'a value that is no Error was thrown' })
})
