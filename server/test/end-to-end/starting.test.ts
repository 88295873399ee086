import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClient } from '@patchbay/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { freePort, spawnGateway } from '../gateway.ts'
import { SDK_CLIENTS } from '../mcp/clients.ts'
import { type Ended, runCommand } from './command.ts'
import { startHeldService } from './held-service.ts'

type Spawned = Awaited<ReturnType<typeof spawnGateway>>

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo()
})

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-start-'))
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function start(env: Record<string, string>): Promise<Spawned> {
  const gateway = await spawnGateway({ ADMIN_API_KEY: '', ...env })
  cleanUp.push(() => {
    if (gateway.child.exitCode === null) gateway.child.kill('SIGKILL')
    return gateway.ended
  })
  return gateway
}

describe('a start', () => {
  test('makes what it needs, and says where it is, the admin key and where data and key lie', async () => {
    const folder = join(dataFolder(), 'made/by/the/start')
    const gateway = await start({ DATA_DIR: folder })

    const output = gateway.output()
    const [key = ''] = /pb_admin_\S+/.exec(output) ?? []
    expect(output).toContain(gateway.url)
    expect(output).toContain(join(folder, 'patchbay.db'))
    expect(output).toContain(join(folder, 'master.key'))
    expect(output).toMatch(/[Bb]ack it up/)
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200)
    const client = createClient({ baseUrl: gateway.url, apiKey: key, retries: 0 })
    expect((await client.projects.list()).items).toMatchObject([{ id: 'default' }])
    expect(statSync(join(folder, 'master.key')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'patchbay.db')).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o077).toBe(0)
  })

  test('on data that is there reuses everything and shows no key', async () => {
    const folder = dataFolder()
    const first = await start({ DATA_DIR: folder })
    const [key = ''] = /pb_admin_\S+/.exec(first.output()) ?? []
    const masterKey = readFileSync(join(folder, 'master.key'), 'utf8')
    await first.stop()

    const second = await start({ DATA_DIR: folder })

    expect(second.output()).toContain('Patchbay is running at')
    expect(second.output()).not.toContain('pb_admin_')
    expect(readFileSync(join(folder, 'master.key'), 'utf8')).toBe(masterKey)
    const client = createClient({ baseUrl: second.url, apiKey: key, retries: 0 })
    expect((await client.apiKeys.list()).items).toHaveLength(1)
  })

  test('of two processes at once on fresh data makes one key between them', async () => {
    const folder = dataFolder()

    const both = await Promise.all([start({ DATA_DIR: folder }), start({ DATA_DIR: folder })])

    const keys = both.flatMap((gateway) => gateway.output().match(/pb_admin_\S+/g) ?? [])
    expect(keys).toHaveLength(1)
    for (const { url } of both) {
      const client = createClient({ baseUrl: url, apiKey: keys[0] as string, retries: 0 })
      expect((await client.apiKeys.list()).items).toHaveLength(1)
    }
  })
})

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets a call that is under way finish, and ends with 0', async () => {
    const { gateway, service, client } = await connected()
    const reached = service.hold()
    const call = client.tools.execute({ user_id: 'ada', action: 'GITHUB_GET_THE_AUTHENTICATED_USER' })
    const held = await reached

    gateway.child.kill(signal)
    await stopsListening(gateway.url)
    expect(gateway.child.exitCode).toBeNull()
    held.letGo()

    expect(await call).toMatchObject({ success: true, result: { login: 'ada' } })
    expect(await gateway.ended).toBe(0)
    expect(gateway.output()).toContain(`${signal}: finishing what is under way`)
  })

  test('lets the call of an MCP client finish too, and loses none of its events', async () => {
    const { gateway, service, client } = await connected()
    const instance = await client.instances.create({ user_id: 'ada' })
    const agent = await SDK_CLIENTS[0].connect(instance.url, instance.token)
    const reached = service.hold()
    const call = agent.callTool('GITHUB_GET_THE_AUTHENTICATED_USER', {})
    const held = await reached

    gateway.child.kill(signal)
    await stopsListening(gateway.url)
    held.letGo()

    expect(await call).toMatchObject({ isError: false, structured: { login: 'ada' } })
    expect(await gateway.ended).toBe(0)
    const audit = await runCommand(['audit'], { DATA_DIR: gateway.env['DATA_DIR'] as string })
    const called = audit.output.split('\n').filter((line) => line.includes('"tool.called"'))
    expect(called).toHaveLength(1)
    expect(JSON.parse(called[0] as string)).toMatchObject({
      outcome: 'ok',
      actor: { type: 'instance', id: instance.id },
    })
  })

  async function connected() {
    const service = await startHeldService()
    cleanUp.push(() => service.stop())
    const gateway = await start({
      DATA_DIR: dataFolder(),
      EGRESS_ALLOW: 'loopback',
      SERVICE_URLS: JSON.stringify({ 'https://api.github.com': service.url }),
    })
    const [key = ''] = /pb_admin_\S+/.exec(gateway.output()) ?? []
    const brought = await fetch(`${gateway.url}/cache-tokens`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: 'ada', provider: 'github', access_token: 'ghu_ada' }),
    })
    expect(brought.status).toBe(201)
    return { gateway, service, client: createClient({ baseUrl: gateway.url, apiKey: key, retries: 0 }) }
  }
})

describe('a start that cannot be', () => {
  test.each([
    ['PORT', 'eighty'],
    ['PORT', '70000'],
    ['PUBLIC_URL', 'gateway.example'],
    ['PUBLIC_URL', 'https://gateway.example/below'],
    ['MASTER_KEYS', 'k1:c2hvcnQ='],
    ['ADMIN_API_KEY', 'short'],
    ['LOG_LEVEL', 'loud'],
    ['CORS_ORIGINS', 'https://app.example/'],
    ['SERVICE_URLS', '{'],
    ['SERVICE_URLS', '[]'],
    ['EVENT_DAYS', '-1'],
    ['DATABASE_URL', 'mysql://somewhere'],
    ['CONNECTORS_DIR', '/nowhere/at/all'],
    ['GOOGLE_CLIENT_SECRET', 'without-an-id'],
    ['EGRESS_ALLOW', '10.0.0.0/99'],
    ['TRUST_PROXY', 'not an address'],
    ['HOST', '203.0.113.7'],
  ])('for the setting %s names it', async (name, value) => {
    const ended = await runCommand([], { ...(await fresh()), [name]: value })

    expectOneSentence(ended)
    expect(ended.output).toContain(name)
    if (/KEY|SECRET/.test(name)) expect(ended.output).not.toContain(value)
  })

  test('because the port is taken says which', async () => {
    const other = createServer()
    await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready))
    cleanUp.push(() => new Promise((done) => other.close(done)))
    const { port } = other.address() as { port: number }

    const ended = await runCommand([], { ...(await fresh()), PORT: String(port) })

    expectOneSentence(ended)
    expect(ended.output).toContain(`Port ${port}`)
    expect(ended.output).toMatch(/PORT to another/)
  })

  test('because the data folder cannot be made or read says where', async () => {
    const file = join(dataFolder(), 'file')
    writeFileSync(file, 'not a folder')

    const ended = await runCommand([], { ...(await fresh()), DATA_DIR: join(file, 'data') })

    expectOneSentence(ended)
    expect(ended.output).toContain(join(file, 'data'))
  })

  test('because the database is no database says so', async () => {
    const env = await fresh()
    writeFileSync(join(env.DATA_DIR, 'patchbay.db'), 'x'.repeat(4096))

    const ended = await runCommand([], env)

    expectOneSentence(ended)
    expect(ended.output).toContain('not an intact SQLite database')
  })

  test('because the database is a folder says where', async () => {
    const env = await fresh()
    mkdirSync(join(env.DATA_DIR, 'patchbay.db'))

    const ended = await runCommand([], env)

    expectOneSentence(ended)
    expect(ended.output).toContain(join(env.DATA_DIR, 'patchbay.db'))
  })

  test.each([
    [
      'the key of the same name is another one',
      `k1:${randomBytes(32).toString('base64')}`,
      /master key|key is another/,
    ],
    ['the key is not in the ring', `k2:${randomBytes(32).toString('base64')}`, /"k1"/],
  ])('because %s', async (_why, masterKeys, said) => {
    const env = await fresh()
    const first = await start({ ...env, MASTER_KEYS: `k1:${randomBytes(32).toString('base64')}` })
    await first.stop()

    const ended = await runCommand([], { ...env, MASTER_KEYS: masterKeys })

    expectOneSentence(ended)
    expect(ended.output).toMatch(said)
    expect(ended.output).not.toContain(masterKeys.split(':')[1])
  })

  test('because the master key file is gone says so, and makes no new one', async () => {
    const env = await fresh()
    await (await start(env)).stop()
    rmSync(join(env.DATA_DIR, 'master.key'))

    const ended = await runCommand([], env)

    expectOneSentence(ended)
    expect(ended.output).toContain(join(env.DATA_DIR, 'master.key'))
    expect(() => statSync(join(env.DATA_DIR, 'master.key'))).toThrow('ENOENT')
  })

  test('because the master key file is damaged says so', async () => {
    const env = await fresh()
    await (await start(env)).stop()
    writeFileSync(join(env.DATA_DIR, 'master.key'), '{"keys": [')

    const ended = await runCommand([], env)

    expectOneSentence(ended)
    expect(ended.output).toMatch(/master\.key is damaged/)
  })

  test('because the database is newer than the code says both versions', async () => {
    const env = await fresh()
    await (await start(env)).stop()
    const database = new DatabaseSync(join(env.DATA_DIR, 'patchbay.db'))
    database.exec("insert into schema_version values (999, 'later', 0)")
    database.close()

    const ended = await runCommand([], env)

    expectOneSentence(ended)
    expect(ended.output).toMatch(/999.*newer/s)
  })

  async function fresh() {
    return { DATA_DIR: dataFolder(), PORT: String(await freePort()), WEB_PAGES: 'off' }
  }

  function expectOneSentence({ code, output }: Ended): void {
    expect(code, output).toBe(1)
    expect(output).toMatch(/^Patchbay cannot start: .+\.\s*$/s)
    expect(output).not.toMatch(/^\s+at /m)
    expect(output).not.toMatch(/node:internal|undefined|\[object/)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(output.length).toBeLessThan(500)
  }
})

/** Resolves once nothing listens there any more. */
async function stopsListening(url: string): Promise<void> {
  for (;;) {
    const open = await fetch(`${url}/health`, { headers: { connection: 'close' } }).then(
      async (answer) => {
        await answer.arrayBuffer()
        return true
      },
      () => false,
    )
    if (!open) return
  }
}
