import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { newPerson } from '../../../examples/demo/person.ts'
import { alreadyConnected, CONSENT_BUTTON, card, signIn } from './dashboard.ts'
import { faultsOf, focusOf } from './look.ts'
import type { Gateway, NewStage } from './stage.ts'

const SCREENSHOTS = process.env['SCREENSHOT_DIR']

interface Screen {
  name: string
  theme: 'light' | 'dark'
  size: { width: number; height: number }
}

/** Each view is opened once for a device and then looked at on all of its screens. */
const DEVICES: { options: BrowserContextOptions; screens: readonly Screen[] }[] = [
  {
    options: {},
    screens: [
      { name: 'light', theme: 'light', size: { width: 1280, height: 860 } },
      { name: 'dark', theme: 'dark', size: { width: 1280, height: 860 } },
    ],
  },
  {
    options: { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } },
    screens: [
      { name: 'phone-390', theme: 'light', size: { width: 390, height: 844 } },
      { name: 'phone-320', theme: 'dark', size: { width: 320, height: 640 } },
    ],
  },
]

/** A view to look at: how to get there, and what shows that it is there. */
interface View {
  name: string
  /** A dialog over the page, which has its own heading. */
  window?: boolean
  show(page: Page, gateway: Gateway): Promise<unknown>
}

const VIEWS: readonly View[] = [
  { name: 'home', show: at('/', (page) => page.getByText('Waiting for the first call')) },
  {
    name: 'connectors',
    show: at('/connectors', (page) => card(page, 'GitHub').getByText('Connected', { exact: true })),
  },
  {
    name: 'connect',
    window: true,
    show: at('/connectors?connect=slack', (page) => page.getByRole('button', { name: 'Continue to Slack' })),
  },
  {
    name: 'disconnect',
    window: true,
    async show(page, gateway) {
      await page.goto(`${gateway.url}/connectors`)
      await page.getByRole('button', { name: 'More for ada', exact: true }).click()
      await page.getByRole('menuitem', { name: 'Disconnect' }).click()
      await page.getByRole('dialog', { name: 'Disconnect ada?' }).waitFor()
    },
  },
  { name: 'tools', show: at('/tools', (page) => page.getByRole('navigation', { name: 'Tools' })) },
  {
    name: 'tool with a result',
    async show(page, gateway) {
      await page.goto(`${gateway.url}/tools/GITHUB_LIST_REPOSITORIES_FOR_THE_AUTHENTICATED_USER`)
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      await page.getByText('Done', { exact: true }).waitFor()
    },
  },
  {
    name: 'tool with mistakes',
    async show(page, gateway) {
      await page.goto(`${gateway.url}/tools/GITHUB_CREATE_AN_ISSUE`)
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      await page.getByText('This is required.').first().waitFor()
    },
  },
  {
    name: 'tool of a dead connection',
    show: at('/tools/GMAIL_SEND_EMAIL', (page) => page.getByRole('button', { name: 'Reconnect' })),
  },
  { name: 'unknown tool', show: at('/tools/NO_SUCH_TOOL', (page) => page.getByText('has no tool NO_SUCH_TOOL')) },
  { name: 'events', show: at('/events', (page) => page.getByRole('list', { name: 'Events' })) },
  {
    name: 'event',
    window: true,
    async show(page, gateway) {
      await page.goto(`${gateway.url}/events?type=connection&outcome=error`)
      await page.getByRole('list', { name: 'Events' }).getByRole('button').first().click()
      await page.getByRole('dialog').getByText('Done by').waitFor()
    },
  },
  {
    name: 'no events',
    show: at('/events?tool=NO_SUCH_TOOL', (page) => page.getByRole('button', { name: 'Clear the filters' })),
  },
  { name: 'OAuth apps', show: at('/settings/oauth-apps', (page) => page.getByText('patchbay-demo-google')) },
  {
    name: 'OAuth app',
    window: true,
    show: at('/settings/oauth-apps/google', (page) => page.getByLabel('Client secret')),
  },
  { name: 'API keys', show: at('/settings/api-keys', (page) => page.getByText('Backend', { exact: true })) },
  {
    name: 'new API key',
    window: true,
    async show(page, gateway) {
      await page.goto(`${gateway.url}/settings/api-keys`)
      await page.getByRole('button', { name: 'Create a key' }).click()
      await page.getByRole('dialog', { name: 'Create an API key' }).waitFor()
    },
  },
  { name: 'MCP addresses', show: at('/settings/addresses', (page) => page.getByText('My agents')) },
  { name: 'project', show: at('/settings/project', (page) => page.getByText(/redirect/i).first()) },
  { name: 'unknown page', show: at('/no/such/page', (page) => page.getByText('There is no such page')) },
  {
    name: 'palette',
    window: true,
    async show(page, gateway) {
      await page.goto(gateway.url)
      await page.getByRole('heading', { level: 1, name: 'Connect an agent' }).waitFor()
      await page.getByRole('button', { name: 'Search everything' }).filter({ visible: true }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'home of a newcomer',
    async show(page, gateway) {
      await page.evaluate(`localStorage.setItem('patchbay.user', 'newcomer')`)
      await page.goto(gateway.url)
      await page.getByRole('button', { name: 'Create the address' }).waitFor()
    },
  },
  {
    name: 'tools of a newcomer',
    show: at('/tools', (page) => page.getByText('User newcomer has no tools yet')),
  },
  {
    name: 'connect link',
    async show(page, { client }) {
      await page.goto((await client.connectLinks.create({ user_id: 'u1' })).url)
      await page.getByRole('button', { name: 'Connect Slack' }).waitFor()
    },
  },
  {
    name: 'connected by link',
    async show(page, { client }) {
      await page.goto((await client.connectLinks.create({ user_id: 'u2', connectors: ['slack'] })).url)
      await page.getByRole('button', { name: 'Connect' }).first().click()
      await page.locator(CONSENT_BUTTON, { hasText: 'Ada Lovelace' }).click()
      await page.getByRole('heading', { name: 'Slack is connected' }).waitFor()
    },
  },
  {
    name: 'dead link',
    async show(page, gateway) {
      await page.goto(`${gateway.url}/connect/cl_that_never_was`)
      await page.getByRole('alert').waitFor()
    },
  },
]

export function finishTests(newStage: NewStage): void {
  test('every page is readable, named and fits: on a desktop in light and dark, on phones of 390 and 320 px', async () => {
    const { gateway, newPerson: newBrowser, expectMessage } = await newStage()
    // Asked for: the page of a link that never was.
    expectMessage(/status of 404 .*\/connect\/cl_that_never_was/)
    await busyProject(gateway)

    const seen = await Promise.all(
      DEVICES.map(async ({ options, screens }) => lookAtAll(await newBrowser(options), gateway, screens)),
    )

    expect(seen.flatMap(({ problems }) => problems)).toEqual([])
    // Pages are told apart by their tabs, but for states of one page; windows over a page keep its title.
    const pages = VIEWS.filter(({ window }) => !window).length
    for (const { titles } of seen) expect(titles.size).toBeGreaterThanOrEqual(pages - 4)
  }, 60_000)

  test('the keyboard alone signs in, reaches the connectors, opens and leaves a dialog, and runs a tool', async () => {
    const { gateway, newPerson: newBrowser } = await newStage()
    await alreadyConnected(gateway, newPerson(), 'Gmail')
    const page = await newBrowser()
    const faults: string[] = []
    /** Goes on with Tab until the wanted control has the focus; every stop on the way must show. */
    const tabTo = async (wanted: string) => {
      for (let step = 0; step < 80; step++) {
        await page.keyboard.press('Tab')
        const { name, fault } = await focusOf(page)
        if (fault) faults.push(fault)
        if (name === wanted) return
      }
      throw new Error(`The keyboard never reached "${wanted}"`)
    }
    await page.goto(gateway.url)
    await page.getByLabel('Admin key').waitFor()
    await page.keyboard.type(gateway.adminKey)
    await tabTo('Sign in')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Connect an agent' }).waitFor()

    await tabTo('Connectors')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Connectors' }).waitFor()
    await card(page, 'Slack').waitFor()
    await tabTo('Connect Slack')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Connect Slack' })
    await dialog.getByRole('radio').first().waitFor()
    await tabTo('Continue to Slack')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(async () => (await focusOf(page)).name).toBe('Connect Slack')

    await page.goto(`${gateway.url}/tools/GMAIL_LIST_LABELS`)
    await page.getByRole('button', { name: 'Run', exact: true }).waitFor()
    await tabTo('Run')
    await page.keyboard.press('Enter')
    await page.getByText('Done', { exact: true }).waitFor()
    expect(faults).toEqual([])
  })

  test('a chosen theme holds over the system’s, and is remembered', async () => {
    const { gateway, newPerson: newBrowser } = await newStage()
    const page = await newBrowser({ colorScheme: 'light' })
    await signIn(page, gateway)
    const background = () => page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`)
    const light = await background()

    await page.getByRole('radio', { name: 'Dark theme' }).press('Space')
    await expect.poll(background).not.toBe(light)
    const dark = await background()
    await page.reload()

    expect(await background()).toBe(dark)
  })
}

async function lookAtAll(page: Page, gateway: Gateway, screens: readonly Screen[]) {
  const problems: string[] = []
  const titles = new Set<string>()
  const look = async ({ name, window = false }: Pick<View, 'name' | 'window'>) => {
    titles.add(await page.title())
    for (const screen of screens) {
      await page.setViewportSize(screen.size)
      await page.emulateMedia({ colorScheme: screen.theme })
      const faults = await faultsOf(page, { window })
      problems.push(...faults.map((fault) => `${name}, ${screen.name}: ${fault}`))
      await screenshot(page, screen.name, name)
    }
  }

  await page.goto(gateway.url)
  await page.getByLabel('Admin key').waitFor()
  await look({ name: 'sign-in' })
  await signIn(page, gateway)
  for (const view of VIEWS) {
    await view.show(page, gateway)
    await look(view)
  }
  return { problems, titles }
}

function at(path: string, sign: (page: Page) => { waitFor(): Promise<void> }): View['show'] {
  return async (page, gateway) => {
    await page.goto(gateway.url + path)
    await sign(page).waitFor()
  }
}

/** One account that works, one that needs reconnecting, one connector without any; an address, a key and their events. */
async function busyProject(gateway: Gateway): Promise<void> {
  const { client } = gateway
  await alreadyConnected(gateway, newPerson(), 'Gmail')
  await alreadyConnected(gateway, newPerson(), 'GitHub')
  await gateway.emulators.google.reset()
  gateway.advance(2 * 60 * 60_000)
  await client.tools.execute({ user_id: 'default', action: 'GMAIL_LIST_LABELS' }).catch(() => {})
  await client.tools.execute({ user_id: 'default', action: 'GITHUB_GET_THE_AUTHENTICATED_USER' })
  await client.instances.create({ user_id: 'default', name: 'My agents' })
  await client.apiKeys.create({ name: 'Backend', role: 'app', policy: { effects: ['read'], connectors: ['gmail'] } })
}

async function screenshot(page: Page, screen: string, name: string): Promise<void> {
  if (!SCREENSHOTS) return
  const folder = join(SCREENSHOTS, screen)
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name.replace(/\W+/g, '-')}.png`) })
}
