import { expect, test } from 'vitest'
import { newPerson } from '../../../examples/demo/person.ts'
import {
  ACCOUNTS,
  allow,
  alreadyConnected,
  CONSENT_BUTTON,
  card,
  consent,
  consentWindow,
  goTo,
  refuse,
  type Service,
  signIn,
  wayBackFrom,
} from './dashboard.ts'
import type { NewStage } from './stage.ts'

const PERMISSIONS: Record<Service, string> = {
  Gmail: 'Read all mail and settings',
  Slack: 'Read messages in public channels the app is in',
  GitHub: 'Read your profile',
}

export function connectingTests(newStage: NewStage): void {
  test.each(Object.keys(ACCOUNTS) as Service[])(
    '%s connects by popup: consent there, and the card names the account and what it allows',
    async (service) => {
      const { gateway, newPerson } = await newStage()
      const page = await newPerson()
      await signIn(page, gateway)
      await goTo(page, 'Connectors')

      await page.getByRole('button', { name: `Connect ${service}`, exact: true }).click()
      await allow(page, service)

      await card(page, service).getByText('Connected', { exact: true }).waitFor()
      await card(page, service).getByText(ACCOUNTS[service].shown, { exact: true }).first().waitFor()
      const more = card(page, service).getByRole('button', { name: /more permissions$/ })
      if (await more.isVisible()) await more.click()
      const granted = await card(page, service).getByRole('list').last().getByRole('listitem').allTextContents()
      expect(granted).toContain(PERMISSIONS[service])
      const [connection, ...others] = (await gateway.client.connections.list()).items
      expect(others).toEqual([])
      expect(connection).toMatchObject({ status: 'active', connector: service.toLowerCase() })
      expect(new Set(granted)).toEqual(new Set(connection?.permissions.map((one) => one.description)))
    },
  )

  test('where popups are blocked the window itself goes there and comes back to the card', async () => {
    const { gateway, newPerson } = await newStage()
    const page = await newPerson()
    await page.addInitScript('window.open = () => null')
    await signIn(page, gateway)
    await goTo(page, 'Connectors')

    await page.getByRole('button', { name: 'Connect GitHub', exact: true }).click()
    await page.getByRole('button', { name: 'Continue to GitHub' }).click()
    await page.locator(CONSENT_BUTTON, { hasText: 'Ada Lovelace' }).click()

    await card(page, 'GitHub').getByText('Connected', { exact: true }).waitFor()
    await page.getByText('github is connected.').waitFor()
    // What the gateway added to the address is read once and taken away, so that a reload does not say it again.
    expect(page.url()).toBe(`${gateway.url}/connectors`)
  })

  test('consent refused at the service is told on the page, nothing is stored, and trying again works', async () => {
    const { gateway, newPerson, expectMessage } = await newStage()
    const page = await newPerson()
    await signIn(page, gateway)
    await goTo(page, 'Connectors')
    await page.getByRole('button', { name: 'Connect Slack', exact: true }).click()

    // A browser reports every page that is not a 200.
    expectMessage(/status of 400 .*error=access_denied/)
    await refuse(await consentWindow(page, 'Slack'))

    const note = page.getByRole('dialog').getByRole('alert')
    await note.waitFor()
    expect(await note.textContent()).toMatch(/not (?:allow|grant)|declined|denied|refused/i)
    expect((await gateway.client.connections.list()).items).toEqual([])
    await allow(page, 'Slack')
    await card(page, 'Slack').getByText('Connected', { exact: true }).waitFor()
    expect((await gateway.client.connections.list()).items).toHaveLength(1)
  })

  test('a window closed before consent is noticed, and opening it again connects the same card', async () => {
    const { gateway, newPerson } = await newStage()
    const page = await newPerson()
    await signIn(page, gateway)
    await goTo(page, 'Connectors')
    await page.getByRole('button', { name: 'Connect Gmail', exact: true }).click()

    await (await consentWindow(page, 'Gmail')).close()

    await page.getByRole('dialog').getByText('The window was closed').waitFor()
    const opened = page.waitForEvent('popup')
    await page.getByRole('button', { name: 'Open it again' }).click()
    const popup = await opened
    await popup.locator(CONSENT_BUTTON).first().waitFor()
    await consent(popup, 'Gmail')
    await card(page, 'Gmail').getByText('Connected', { exact: true }).waitFor()
    expect((await gateway.client.connections.list()).items).toHaveLength(1)
  })

  test('another browser that opens the way back from the provider gets a clear page, and nothing is stored', async () => {
    const stage = await newStage()
    const page = await stage.newPerson()
    await signIn(page, stage.gateway)
    await goTo(page, 'Connectors')
    await page.getByRole('button', { name: 'Connect Gmail', exact: true }).click()
    const popup = await consentWindow(page, 'Gmail')
    const wayBack = await wayBackFrom(popup, 'Gmail')

    const other = await stage.newPerson()
    stage.expectMessage(/status of 400/)
    const answer = await other.goto(wayBack)

    expect(answer?.status()).toBe(400)
    const text = await other.getByRole('alert').textContent()
    expect(text).toContain('Gmail was not connected')
    expect(text).toMatch(/browser/)
    const { items } = await stage.gateway.client.connections.list()
    expect(items.filter(({ status }) => status !== 'pending')).toEqual([])
    const { items: refused } = await stage.gateway.client.events.list({ types: ['connection.callback'] })
    expect(refused[0]).toMatchObject({ outcome: 'refused' })
  })

  test('a grant that ends needs reconnecting; another account is only taken when told to', async () => {
    const { gateway, newPerson: newBrowser, expectMessage } = await newStage()
    const id = await alreadyConnected(gateway, newPerson(), 'Gmail')
    const page = await newBrowser()
    await signIn(page, gateway)
    await goTo(page, 'Connectors')
    await card(page, 'Gmail').getByText('Connected', { exact: true }).waitFor()

    // Google forgets every grant, and the access token runs out.
    await gateway.emulators.google.reset()
    gateway.advance(2 * 60 * 60_000)
    expectMessage(/status of 4\d\d .*\/api\/tools\/execute/)
    await page.goto(`${gateway.url}/tools/GMAIL_LIST_LABELS`)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('alert').waitFor()
    await goTo(page, 'Connectors')
    await card(page, 'Gmail').getByText('Needs reconnecting', { exact: true }).waitFor()
    expect(await card(page, 'Gmail').textContent()).not.toMatch(/Connected/)

    await card(page, 'Gmail').getByRole('button', { name: 'Reconnect' }).click()
    expectMessage(/status of 400 .*\/oauth\/callback\/google/)
    await consent(await consentWindow(page, 'Gmail'), 'Gmail', 'ada@work.example')
    await page.getByRole('dialog').getByText('This connection belongs to').waitFor()
    expect((await gateway.client.connections.get(id, { user_id: 'default' })).account?.email).toBe('ada@example.com')
    const opened = page.waitForEvent('popup')
    await page.getByRole('button', { name: 'Connect the other account instead' }).click()
    await consent(await opened, 'Gmail', 'ada@work.example')
    await card(page, 'Gmail').getByText('Connected', { exact: true }).waitFor()
    expect(await gateway.client.connections.get(id, { user_id: 'default' })).toMatchObject({
      status: 'active',
      account: { email: 'ada@work.example' },
    })
  })

  test.each([
    ['Gmail', 'ada@example.com', true],
    // The emulator has no `auth.revoke`, as a service may have an hour without one.
    ['Slack', 'ada @ Analytical Engines', false],
  ] as const)('disconnecting %s asks first, then says what happened there', async (service, account, revoked) => {
    const { gateway, newPerson: newBrowser } = await newStage()
    await alreadyConnected(gateway, newPerson(), service)
    const page = await newBrowser()
    await signIn(page, gateway)
    await goTo(page, 'Connectors')

    await card(page, service)
      .getByRole('button', { name: `More for ${account}` })
      .click()
    await page.getByRole('menuitem', { name: 'Disconnect' }).click()
    const dialog = page.getByRole('dialog', { name: `Disconnect ${account}?` })
    await dialog.getByText(`Access is revoked at ${service}`).waitFor()
    await dialog.getByRole('button', { name: 'Disconnect' }).click()

    await page.getByRole('button', { name: `Connect ${service}`, exact: true }).waitFor()
    const [event] = (await gateway.client.events.list({ types: ['connection.disconnected'] })).items
    expect(event?.details).toMatchObject({ revoked_at_provider: revoked })
    await page
      .getByRole('status')
      .getByText(event?.message as string)
      .waitFor()
    expect((await gateway.client.connections.list()).items).toEqual([])
  })
}
