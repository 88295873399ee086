import { createServer, type Server } from 'node:http'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { createApp } from '../../../examples/embed/app.ts'
import { freePort } from '../gateway.ts'
import { CONSENT_BUTTON } from './dashboard.ts'
import type { Gateway, NewStage } from './stage.ts'

/** What windows were told, with the origin of the page that heard it. */
interface Heard {
  at: string
  from: string
  data: { type: string; status: string; connection_id?: string }
}

export function appPageTests(newStage: NewStage): void {
  test('its own page opens the popup, and is told the outcome once', async () => {
    const { gateway, newPerson } = await newStage()
    const app = await startApp(gateway)
    try {
      const page = await newPerson()
      const heard = await listen(page)
      await page.goto(app.url)
      const opened = page.waitForEvent('popup')
      await page.getByRole('button', { name: 'Connect Gmail' }).click()
      const popup = await opened
      const closed = popup.waitForEvent('close')
      await popup.locator(CONSENT_BUTTON, { hasText: 'ada@example.com' }).click()
      await closed

      await page.locator('pre', { hasText: '"status": "connected"' }).waitFor()
      const { items } = await gateway.client.connections.list({ user_id: 'user-17' })
      expect(items).toMatchObject([{ status: 'active', account: { email: 'ada@example.com' } }])
      expect(heard).toEqual([
        {
          at: app.url,
          from: gateway.url,
          data: { type: 'patchbay:connect', status: 'connected', appName: 'gmail', connection_id: items[0]?.id },
        },
      ])
      await page.getByRole('button', { name: 'Show the newest mail' }).click()
      await page.locator('pre', { hasText: 'The engine runs' }).waitFor()
    } finally {
      await app.close()
    }
  })

  test('a page of another origin that opens the popup is told nothing', async () => {
    const stage = await newStage()
    const app = await startApp(stage.gateway)
    const other = await startSite('<!doctype html><title>Other</title><button>Open</button>')
    try {
      const page = await stage.newPerson()
      const heard = await listen(page)
      const { auth_url } = await stage.gateway.client.connect({
        user_id: 'user-17',
        provider: 'gmail',
        opener_origin: app.url,
      })
      await page.goto(other.url)
      await page.evaluate(`document.querySelector('button').onclick = () => void open(${JSON.stringify(auth_url)})`)
      // The browser may have time to say that it dropped the message.
      stage.expectMessage(/target origin provided .* does not match the recipient/)
      const opened = page.waitForEvent('popup')
      await page.getByRole('button').click()
      const popup = await opened
      const closed = popup.waitForEvent('close')
      await popup.locator(CONSENT_BUTTON, { hasText: 'ada@example.com' }).click()
      await closed
      // A message of its own comes after all that were on their way.
      await page.evaluate(`new Promise((heard) => { onmessage = heard; postMessage('last', '*') })`)

      expect((await stage.gateway.client.connections.list({ user_id: 'user-17' })).items).toHaveLength(1)
      expect(heard).toEqual([])
    } finally {
      await app.close()
      await other.close()
    }
  })

  test('by redirect the browser comes back to the page of the app with the outcome', async () => {
    const { gateway, newPerson } = await newStage()
    const app = await startApp(gateway)
    try {
      const page = await newPerson()
      await page.goto(app.url)
      await page.getByRole('link', { name: 'or without a popup' }).click()
      await page.locator(CONSENT_BUTTON, { hasText: 'ada@example.com' }).click()

      await page.waitForURL(`${app.url}/connected?*`)
      const told = new URL(page.url()).searchParams
      const [connection] = (await gateway.client.connections.list({ user_id: 'user-17' })).items
      expect(Object.fromEntries(told)).toEqual({
        status: 'connected',
        appName: 'gmail',
        connection_id: connection?.id,
      })
      expect(await page.locator('pre').textContent()).toBe('{"connected":true,"account":"ada@example.com"}')
    } finally {
      await app.close()
    }
  })

  test('an origin that the project does not know cannot ask for the outcome', async () => {
    const { gateway } = await newStage()
    const request = { user_id: 'user-17', provider: 'gmail', opener_origin: 'https://other.example' }

    await expect(gateway.client.connect(request)).rejects.toMatchObject({ code: 'invalid_input' })
  })
}

/** The example of an app team, on an origin of its own that the project knows. */
async function startApp(gateway: Gateway): Promise<{ url: string; close(): Promise<void> }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [project] = (await gateway.client.projects.list()).items
  await gateway.client.projects.update(project?.id as string, { redirect_urls: [`${url}/*`] })
  return listening(createApp(gateway.client, url), port)
}

export async function startSite(body: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html; charset=utf-8').end(body),
  )
  return listening(server, await freePort())
}

async function listening(server: Server, port: number): Promise<{ url: string; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Every message that any window of this browser hears. */
async function listen(page: Page): Promise<Heard[]> {
  const heard: Heard[] = []
  await page.context().exposeBinding('tellTest', (_source, message: Heard) => void heard.push(message))
  await page.context().addInitScript(`
    addEventListener('message', ({ origin, data }) => {
      if (data?.type === 'patchbay:connect') tellTest({ at: location.origin, from: origin, data })
    })
  `)
  return heard
}
