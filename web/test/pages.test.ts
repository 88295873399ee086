import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN_KEY, ago, fail, newConnection, startStandIn } from './stand-in.ts'

const CHROMIUM = process.env['TEST_CHROMIUM']
const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

describe.skipIf(!CHROMIUM)(
  `the pages in Chromium${CHROMIUM ? '' : ' (skipped: TEST_CHROMIUM names no browser)'}`,
  () => {
    let dist: string
    let browser: Browser
    let gateway: Awaited<ReturnType<typeof startStandIn>>
    let context: BrowserContext
    /** What a page must not do: call elsewhere, break the content policy, throw. */
    let faults: string[]

    beforeAll(async () => {
      dist = await mkdtemp(join(tmpdir(), 'patchbay-web-'))
      await build({
        root: join(import.meta.dirname, '..'),
        logLevel: 'error',
        build: { outDir: dist, emptyOutDir: true },
      })
      browser = await chromium.launch({ executablePath: CHROMIUM as string, args: FLAGS.split(' ') })
    }, 60_000)
    afterAll(async () => {
      await browser?.close()
      if (dist) await rm(dist, { recursive: true, force: true })
    })
    beforeEach(async () => {
      gateway = await startStandIn(dist)
      faults = []
    })
    afterEach(async () => {
      await context?.close()
      await gateway.close()
      expect(faults).toEqual([])
    })

    async function open(options: BrowserContextOptions = {}): Promise<Page> {
      context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        reducedMotion: 'reduce',
        ...options,
      })
      context.setDefaultTimeout(8000)
      context.on('page', watch)
      const page = await context.newPage()
      await page.goto(gateway.url)
      return page
    }

    function watch(page: Page) {
      page.on('pageerror', (error) => faults.push(`threw ${error}`))
      page.on('request', (request) => !request.url().startsWith(gateway.url) && faults.push(`called ${request.url()}`))
      // Chromium reports refused answers too; those are what some tests are about.
      page.on(
        'console',
        (message) =>
          message.type() === 'error' && !/Failed to load resource/.test(message.text()) && faults.push(message.text()),
      )
    }

    async function signIn(page: Page) {
      await page.getByLabel('Admin key').fill(ADMIN_KEY)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Connect an agent', level: 1 }).waitFor()
    }

    const goTo = (page: Page, place: string) =>
      page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place }).click()

    const connector = (id: string) => {
      const found = gateway.state.catalogue.find((one) => one.id === id)
      if (!found) throw new Error(`no connector ${id}`)
      return found
    }
    const card = (page: Page, name: string) => page.getByRole('article', { name, exact: true })

    async function allow(page: Page, name: string) {
      const opened = page.waitForEvent('popup')
      await page.getByRole('button', { name: `Continue to ${name}` }).click()
      const popup = await opened
      await popup.getByRole('button', { name: 'Allow' }).click()
    }

    test('a wrong key is refused with what to do; the right one signs in and the session survives a reload', async () => {
      const page = await open()
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('Paste the admin key here first.').waitFor()
      await page.getByLabel('Admin key').fill('wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await expect(page.getByRole('alert').textContent()).resolves.toMatch(/not known.*patchbay keys.*req_/)

      await signIn(page)
      await page.reload()
      await page.getByRole('heading', { name: 'Connect an agent', level: 1 }).waitFor()

      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByLabel('Admin key').waitFor()
    })

    test('a session that has ended brings the sign-in page back from any page', async () => {
      const page = await open()
      await signIn(page)
      await context.clearCookies()
      await goTo(page, 'Events')

      await page.getByLabel('Admin key').waitFor()
    })

    test('connecting in a popup turns the card to Connected with the account and what it allows', async () => {
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.getByRole('button', { name: 'Connect Gmail', exact: true }).click()
      await allow(page, 'Gmail')

      await card(page, 'Gmail').getByText('Connected', { exact: true }).waitFor()
      const text = await card(page, 'Gmail').textContent()
      expect(text).toContain('Ann Lee')
      expect(text).toContain('Read all mail and settings')
      expect(text).not.toContain('Send mail')
    })

    test('a message that is not from the popup changes nothing', async () => {
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.getByRole('button', { name: 'Connect Slack', exact: true }).click()
      const opened = page.waitForEvent('popup')
      await page.getByRole('button', { name: 'Continue to Slack' }).click()
      const popup = await opened
      await page.getByText('Waiting for Slack').waitFor()
      await page.evaluate(() =>
        window.postMessage(
          { type: 'patchbay:connect', status: 'failed', appName: 'slack', error: { code: 'x', message: 'forged' } },
          '*',
        ),
      )
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)))
      expect(await page.getByText('Waiting for Slack').count()).toBe(1)
      expect(await page.getByText('forged').count()).toBe(0)

      await popup.getByRole('button', { name: 'Allow' }).click()
      await card(page, 'Slack').getByText('Connected', { exact: true }).waitFor()
    })

    test('a popup whose tie to the page was cut is noticed by looking', async () => {
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.getByRole('button', { name: 'Connect Slack', exact: true }).click()
      const opened = page.waitForEvent('popup')
      await page.getByRole('button', { name: 'Continue to Slack' }).click()
      const popup = await opened
      await popup.getByRole('button', { name: 'Allow' }).waitFor()
      await context.addInitScript(() => {
        window.opener = null
      })
      await popup.getByRole('button', { name: 'Allow' }).click()

      await card(page, 'Slack').getByText('Connected', { exact: true }).waitFor()
    })

    test('a refusal at the service is told, and nothing is left behind', async () => {
      gateway.state.denies = true
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.getByRole('button', { name: 'Connect Gmail', exact: true }).click()
      await allow(page, 'Gmail')

      await page.getByRole('alert').getByText('You did not allow the access.').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Connect Gmail', exact: true }).waitFor()
      expect(gateway.state.connections).toEqual([])
    })

    test('where popups are blocked the whole window goes and comes back with the outcome', async () => {
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.evaluate(() => {
        window.open = () => null
      })
      await page.getByRole('button', { name: 'Connect GitHub', exact: true }).click()
      await page.getByRole('button', { name: 'Continue to GitHub' }).click()
      await page.getByRole('button', { name: 'Allow' }).click()

      await page.getByText('github is connected.').waitFor()
      expect(new URL(page.url()).search).toBe('')
      await card(page, 'GitHub').getByText('Connected', { exact: true }).waitFor()
    })

    test('a dead connection shows why and how to mend it, and is never called connected', async () => {
      const reason = {
        code: 'token_revoked',
        message: 'Access was revoked in Slack.',
        fix: 'Reconnect this account.',
        at: ago(0),
      }
      gateway.state.connections = [
        newConnection(connector('slack'), 'default', { status: 'revoked', status_reason: reason }),
      ]
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await card(page, 'Slack').getByText(reason.message).waitFor()
      const text = await card(page, 'Slack').textContent()
      expect(text).toContain('Access revoked')
      expect(text).toContain(reason.fix)
      expect(text).not.toMatch(/Connected/)

      await card(page, 'Slack').getByRole('button', { name: 'Reconnect' }).click()
      await allow(page, 'Slack')
      await card(page, 'Slack').getByText('Connected', { exact: true }).waitFor()
      expect(gateway.state.connections).toHaveLength(1)
    })

    test('one of several accounts can be made the default, renamed and disconnected', async () => {
      const gmail = connector('gmail')
      gateway.state.connections = [
        newConnection(gmail, 'default', { label: 'ann@example.com', account: { id: '1', label: 'ann@example.com' } }),
        newConnection(gmail, 'default', {
          label: 'bo@example.com',
          account: { id: '2', label: 'bo@example.com' },
          is_default: false,
        }),
      ]
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      const more = async (account: string, action: string) => {
        await page.getByRole('button', { name: `More for ${account}` }).click()
        await page.getByRole('menuitem', { name: action }).click()
      }
      await more('bo@example.com', 'Make default')
      await page.getByText('bo@example.com is the default').waitFor()
      expect(gateway.state.connections.map((one) => one.is_default)).toEqual([false, true])

      await more('bo@example.com', 'Rename')
      await page.getByRole('textbox', { name: 'Name' }).fill('Private')
      await page.keyboard.press('Enter')
      await card(page, 'Gmail').getByText('Private').waitFor()

      await more('ann@example.com', 'Disconnect')
      await page.getByRole('dialog').getByText('lose its tools at once').waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
      await page.getByText('Access was revoked and the tokens are deleted.').waitFor()
      expect(gateway.state.connections.map(({ label }) => label)).toEqual(['Private'])
    })

    test('a connector without an OAuth app leads to the form, and from there to connecting', async () => {
      const page = await open()
      await signIn(page)
      await goTo(page, 'Connectors')
      await page.getByRole('button', { name: /^Connect Linear/ }).click()
      await page.getByText('/oauth/callback/linear').waitFor()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Paste the client secret').waitFor()
      await page.getByLabel('Client id').fill('id-1')
      await page.getByLabel('Client secret').fill('secret-1')
      await page.getByRole('button', { name: 'Save' }).click()

      await page.getByRole('button', { name: 'Continue to Linear' }).waitFor()
    })

    test('a first result is at most five clicks from the first page', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default')]
      const page = await open()
      await signIn(page)
      let clicks = 0
      const click = async (locator: ReturnType<Page['getByRole']>) => {
        clicks += 1
        await locator.click()
      }
      await click(page.getByRole('link', { name: 'Pick a tool' }))
      await click(page.getByRole('link', { name: 'Find emails' }))
      await click(page.getByRole('button', { name: 'Run' }))
      await page.getByRole('cell', { name: 'Minutes of Monday' }).waitFor()
      expect(clicks).toBeLessThanOrEqual(5)

      await page.getByRole('button', { name: 'See its event' }).click()
      await page.getByRole('dialog').getByText('GMAIL_FETCH_EMAILS').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.getByRole('tab', { name: 'JSON' }).click()
      await page.getByText('"next_page_token": "p2"').waitFor()
    })

    test('a form sends what was typed, says what is missing, and becomes JSON and back', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default', { granted: connector('gmail').scopes })]
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/tools/GMAIL_SEND_EMAIL`)
      await page.getByRole('button', { name: 'Run' }).click()
      await expect.poll(() => page.getByText('This is required.').count()).toBe(2)
      await page.getByLabel('Recipient email').fill('bo@example.com')
      await page.getByRole('button', { name: 'Edit as JSON' }).click()
      const json = page.getByLabel('Input as JSON')
      await json.fill(JSON.stringify({ ...JSON.parse(await json.inputValue()), body: 'Hello', cc: ['cy@example.com'] }))
      await page.getByRole('button', { name: 'Back to the form' }).click()
      expect(await page.getByLabel('Body').inputValue()).toBe('Hello')
      await page.getByRole('button', { name: 'Run' }).click()
      await page.getByRole('tab', { name: 'JSON' }).click()

      const shown = JSON.parse((await page.locator('pre').textContent()) ?? '')
      expect(shown.input).toEqual({
        recipient_email: 'bo@example.com',
        body: 'Hello',
        cc: ['cy@example.com'],
        is_html: false,
      })
    })

    test('a destructive tool asks first', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default', { granted: connector('gmail').scopes })]
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/tools/GMAIL_MOVE_TO_TRASH`)
      await page.getByLabel('Message ID').fill('m-1')
      await page.getByRole('button', { name: 'Run' }).click()
      await page.getByRole('dialog').getByText('cannot undo it').waitFor()
      expect(gateway.state.events.filter(({ type }) => type === 'tool.called')).toEqual([])

      await page.getByRole('button', { name: 'Run it' }).click()
      await page.getByRole('button', { name: 'See its event' }).waitFor()
    })

    test('a failed run tells the message, the code, what to do and the request', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default')]
      gateway.state.faults.push(
        fail(502, 'provider_unavailable', 'Gmail answered 503.', {
          action: 'Run it again in a minute.',
          url: 'https://status.example.com/',
        }),
      )
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/tools/GMAIL_FETCH_EMAILS`)
      await page.getByRole('button', { name: 'Run' }).click()
      const note = page.getByRole('alert')
      await expect(note.textContent()).resolves.toMatch(
        /Gmail answered 503\..*Run it again in a minute\..*provider_unavailable.*req_5f0c2a/s,
      )
      expect(await note.getByRole('link').getAttribute('href')).toBe('https://status.example.com/')
    })

    test('a running tool can be stopped', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default')]
      gateway.state.latency = 60_000
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/tools/GMAIL_FETCH_EMAILS`)
      await page.getByRole('button', { name: 'Run' }).click()
      await page.getByRole('button', { name: 'Stop' }).click()

      await page.getByText('Stopped.').waitFor()
    })

    test('a tool without its permission says why it cannot run and leads to giving it', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'default')]
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/tools/GMAIL_SEND_EMAIL`)
      const run = page.getByRole('button', { name: 'Run' })
      await run.waitFor()
      expect(await run.getAttribute('aria-disabled')).toBe('true')
      expect(await run.textContent()).toContain('says why and what to do')

      await page.getByRole('button', { name: 'Give the permission' }).click()
      await allow(page, 'Gmail')
      await page.getByText('Gmail is connected as').waitFor()
      await page.getByRole('button', { name: 'Give the permission' }).waitFor({ state: 'detached' })
    })

    test('an address shows its token once, in the set-up too, and a new one on demand', async () => {
      const page = await open()
      await signIn(page)
      await page.getByRole('button', { name: 'Create the address' }).click()
      await page.getByText('Copy it now').waitFor()
      expect(await page.locator('pre').textContent()).toMatch(/Bearer pbi_4f9c[\w-]{36}/)

      await page.reload()
      await page.getByText('was shown when it was made').waitFor()
      expect(await page.locator('pre').textContent()).toContain('Bearer YOUR_TOKEN')
      await page.getByRole('button', { name: 'Make a new token' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Make a new token' }).click()
      await page.getByText('Copy it now').waitFor()
    })

    test('events are filtered by the address, paged, and open in a drawer', async () => {
      for (let index = 0; index < 60; index++)
        gateway.note({
          type: index % 3 === 0 ? 'tool.called' : 'session.created',
          tool: index % 3 === 0 ? 'GMAIL_FETCH_EMAILS' : null,
        })
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/events`)
      const rows = page.getByRole('list', { name: 'Events' }).getByRole('button')
      await rows.first().waitFor()
      expect(await rows.count()).toBe(50)
      await page.getByRole('button', { name: 'Older events' }).click()
      await page.getByText('That is all.').waitFor()
      expect(await rows.count()).toBe(60)

      await page.getByLabel('Type', { exact: true }).selectOption('tool.called')
      await expect.poll(() => rows.count()).toBe(20)
      expect(page.url()).toContain('type=tool.called')
      expect(await page.getByRole('link', { name: 'Export' }).getAttribute('href')).toBe(
        '/api/events/export?types=tool.called',
      )
      await rows.first().click()
      await page.getByRole('dialog').getByText('Done by').waitFor()
    })

    test('an API key is made with its limits and shown once', async () => {
      const page = await open()
      await signIn(page)
      await page.goto(`${gateway.url}/settings/api-keys`)
      await page.getByRole('button', { name: 'Create a key' }).first().click()
      await page.getByRole('textbox', { name: 'Name' }).fill('Reports')
      await page.getByLabel('Allowed effects').selectOption('read')
      await page.getByRole('checkbox', { name: 'Gmail' }).check()
      await page.getByRole('button', { name: 'Create', exact: true }).click()
      await page.getByText('Reports is ready').waitFor()
      expect(gateway.state.keys[0]).toMatchObject({
        name: 'Reports',
        role: 'app',
        policy: { effects: ['read'], connectors: ['gmail'] },
      })

      await page.getByRole('button', { name: 'I have copied it' }).click()
      await page.getByRole('listitem').filter({ hasText: 'Reports' }).getByText('Read only · only gmail').waitFor()
    })

    test('another user is acted for everywhere, and remembered', async () => {
      gateway.state.connections = [newConnection(connector('gmail'), 'customer-1')]
      const page = await open()
      await signIn(page)
      await page.getByRole('button', { name: /^Acting as user default/ }).click()
      await page.getByRole('button', { name: 'customer-1' }).click()
      await page.getByText('Gmail as Ann Lee').waitFor()
      await page.reload()

      await page.getByText('Gmail as Ann Lee').waitFor()
    })

    test('the keyboard reaches everything: / for search, Ctrl K for the palette, Esc to leave', async () => {
      const page = await open()
      await signIn(page)
      await page.keyboard.press('Control+k')
      await page.keyboard.type('connectors')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Connectors' }).waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('git')
      await expect.poll(() => page.getByRole('article').count()).toBe(1)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Connect GitHub' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })

      await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
        .toBe('Connect GitHub')
    })

    test.each([
      [320, 'light'],
      [390, 'dark'],
    ] as const)('at %i px nothing scrolls sideways, and every control has a name (%s)', async (width, colorScheme) => {
      const reason = {
        code: 'invalid_grant',
        message: 'Google no longer accepts the stored token.',
        fix: 'Reconnect.',
        at: ago(0),
      }
      gateway.state.connections = [
        newConnection(connector('gmail'), 'default'),
        newConnection(connector('gmail'), 'default', {
          status: 'needs_reauth',
          status_reason: reason,
          is_default: false,
        }),
      ]
      gateway.state.instances = [gateway.newInstance('default', 'My agents', { effects: ['read'] })]
      gateway.note({
        type: 'tool.called',
        tool: 'GMAIL_FETCH_EMAILS_WITH_A_LONG_NAME',
        user: 'a-user-id-that-is-long@example.com',
      })
      const page = await open({ viewport: { width, height: 700 }, colorScheme, hasTouch: true, isMobile: true })
      await signIn(page)
      const problems: string[] = []
      for (const path of [
        '/',
        '/connectors',
        '/tools',
        '/tools/GMAIL_FETCH_EMAILS',
        '/events',
        '/settings/oauth-apps',
        '/settings/api-keys',
        '/settings/addresses',
        '/settings/project',
      ]) {
        await page.goto(gateway.url + path)
        await page.getByRole('heading').first().waitFor()
        await page.waitForLoadState('networkidle')
        problems.push(...(await page.evaluate(faultsOfLayout)).map((fault) => `${path}: ${fault}`))
      }
      expect(problems).toEqual([])
    })
  },
)

/** Runs in the page. */
function faultsOfLayout(): string[] {
  const { scrollWidth, clientWidth } = document.documentElement
  const nameless = [...document.querySelectorAll<HTMLElement>('button, a, input, select, textarea')].filter(
    (control) => {
      if (control.hidden || control.getClientRects().length === 0) return false
      const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : []
      return ![
        control.textContent,
        control.getAttribute('aria-label'),
        ...labels.map((label) => label.textContent),
      ].some((name) => name?.trim())
    },
  )
  return [
    ...(scrollWidth > clientWidth ? [`scrolls sideways by ${scrollWidth - clientWidth} px`] : []),
    ...nameless.map((control) => `no name: ${control.outerHTML.slice(0, 120)}`),
  ]
}
