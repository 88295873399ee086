import type { Locator, Page } from 'playwright-core'
import type { Gateway } from './stage.ts'

/** What a person does on the dashboard, in their words. */

export const CONSENT_BUTTON = 'form.user-form button'

/** Account to choose at each emulator, and the name that its card then shows. */
export const ACCOUNTS = {
  Gmail: { choose: 'ada@example.com', shown: 'ada@example.com' },
  Slack: { choose: 'Ada Lovelace', shown: 'ada @ Analytical Engines' },
  GitHub: { choose: 'Ada Lovelace', shown: 'ada' },
} as const

export type Service = keyof typeof ACCOUNTS

export async function signIn(page: Page, gateway: Gateway): Promise<void> {
  await page.goto(gateway.url)
  await page.getByLabel('Admin key').fill(gateway.adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Connect an agent', level: 1 }).waitFor()
}

export function place(page: Page, name: string): Locator {
  return page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name })
}

export async function goTo(page: Page, name: string): Promise<void> {
  await place(page, name).click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

export function card(page: Page, service: string): Locator {
  return page.getByRole('article', { name: service, exact: true })
}

/** Presses the button that opens the provider's window, and answers that window once it asks for consent. */
export async function consentWindow(page: Page, service: Service): Promise<Page> {
  const opened = page.waitForEvent('popup')
  await page.getByRole('button', { name: `Continue to ${service}` }).click()
  const popup = await opened
  await popup.locator(CONSENT_BUTTON).first().waitFor()
  return popup
}

export async function consent(window: Page, service: Service, account: string = ACCOUNTS[service].choose) {
  await window.locator(CONSENT_BUTTON, { hasText: account }).click()
}

/** From the open dialog to the card that says Connected. */
export async function allow(page: Page, service: Service): Promise<void> {
  const popup = await consentWindow(page, service)
  const closed = popup.waitForEvent('close')
  await consent(popup, service)
  await closed
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** What a provider sends the browser back with when its user presses Cancel; the emulators have no such button. */
export async function refuse(window: Page): Promise<void> {
  const asked = new URL(window.url())
  const back = new URL(asked.searchParams.get('redirect_uri') as string)
  back.searchParams.set('error', 'access_denied')
  back.searchParams.set('state', asked.searchParams.get('state') as string)
  await window.evaluate(`location.href = ${JSON.stringify(back.href)}`)
}

/** The address that consent would send this window to, without it going there. */
export async function wayBackFrom(window: Page, service: Service): Promise<string> {
  const form = window.locator('form.user-form', { hasText: ACCOUNTS[service].choose })
  const fields = await form
    .locator('input[type=hidden]')
    .evaluateAll((inputs) =>
      inputs.map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']),
    )
  const action = new URL((await form.getAttribute('action')) as string, window.url()).href
  const answer = await window
    .context()
    .request.post(action, { form: Object.fromEntries(fields) as Record<string, string>, maxRedirects: 0 })
  return answer.headers()['location'] as string
}

/** Connects without a browser page, where the test is about what comes after. */
export async function alreadyConnected(
  { client }: Gateway,
  person: { visit(address: string, account?: string): Promise<unknown> },
  service: Service,
  userId = 'default',
): Promise<string> {
  const { auth_url, connection_id } = await client.connect({
    user_id: userId,
    provider: service.toLowerCase(),
    tools: ['*'],
  })
  await person.visit(auth_url, ACCOUNTS[service].choose)
  return connection_id
}
