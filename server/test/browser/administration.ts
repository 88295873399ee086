import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { newPerson } from '../../../examples/demo/person.ts'
import { startSite } from './app-page.ts'
import { allow, alreadyConnected, card, goTo, signIn } from './dashboard.ts'
import type { Gateway, NewStage } from './stage.ts'

export function administrationTests(newStage: NewStage): void {
  test('where no OAuth app is set up, Connect leads to the form, and saving it makes Connect work', async () => {
    const { gateway, newPerson } = await newStage({ GOOGLE_CLIENT_ID: '', GOOGLE_CLIENT_SECRET: '' })
    const { clientId, clientSecret } = gateway.emulators.oauthApps.google
    const page = await newPerson()
    await signIn(page, gateway)
    await goTo(page, 'Connectors')

    await page.getByRole('button', { name: /^Connect Gmail/ }).click()
    const form = page.getByRole('dialog', { name: /OAuth app/ })
    await form.getByText(`${gateway.url}/oauth/callback/google`, { exact: true }).waitFor()
    expect(await form.getByRole('listitem').count()).toBeGreaterThan(2)
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('Paste the client id').waitFor()
    await form.getByLabel('Client id').fill(clientId)
    await form.getByLabel('Client secret').fill(clientSecret)
    await form.getByRole('button', { name: 'Save' }).click()

    await allow(page, 'Gmail')
    await card(page, 'Gmail').getByText('Connected', { exact: true }).waitFor()
    await goTo(page, 'Settings')
    await page.getByText(clientId).waitFor()
    expect(await page.content()).not.toContain(clientSecret)
  })

  test('an API key is shown once, works until it is revoked, and not after', async () => {
    const { gateway, newPerson } = await newStage()
    const page = await newPerson()
    await signIn(page, gateway)
    await page.goto(`${gateway.url}/settings/api-keys`)
    await page.getByRole('button', { name: 'Create a key' }).first().click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Backend')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    const ready = page.getByRole('dialog', { name: 'Backend is ready' })
    const secret = (await ready.locator('code').textContent()) as string
    await ready.getByRole('button', { name: 'I have copied it' }).click()
    const status = async () =>
      (await fetch(`${gateway.url}/api/integrations`, { headers: { 'x-api-key': secret } })).status
    expect(await status()).toBe(200)
    await page.reload()
    const row = page.getByRole('listitem').filter({ hasText: 'Backend' })
    await row.getByText(/^used/).waitFor()
    expect(await page.content()).not.toContain(secret)

    await page.getByRole('button', { name: 'Revoke Backend' }).click()
    await page.getByRole('dialog', { name: 'Revoke Backend?' }).getByRole('button', { name: 'Revoke' }).click()

    await row.getByText('Revoked', { exact: true }).waitFor()
    expect(await status()).toBe(401)
  })

  // To a browser another port is the same site, so there the cookie does travel; 127.0.0.1 is another site.
  test.each([
    ['another port of the same host, which gets the cookie', 'localhost', true],
    ['another site', '127.0.0.1', false],
  ] as const)(
    'a signed-in browser that visits a hostile page at %s changes nothing',
    async (_name, host, sendsCookie) => {
      const stage = await newStage()
      const { gateway } = stage
      const id = await alreadyConnected(gateway, newPerson(), 'Gmail')
      const page = await stage.newPerson()
      await signIn(page, gateway)
      const before = await everything(gateway)
      stage.expectMessage(/status of 4(?:01|03|15) /)
      const cookies: boolean[] = []
      page.context().on('request', (request) => {
        if (request.url().startsWith(`${gateway.url}/api/`) && request.method() === 'POST')
          void request.allHeaders().then((headers) => cookies.push('cookie' in headers))
      })
      const site = await startSite('<!doctype html><title>Prizes</title>')
      try {
        const hostile = await page.context().newPage()
        await hostile.goto(site.url.replace('127.0.0.1', host))
        const disconnect = { user_id: 'default', connection_id: id }
        const outcomes = await hostile.evaluate(call(ATTACK, { gateway: gateway.url, id, disconnect }))
        expect(outcomes).toEqual(['opaque', 'opaque', 'refused', 'refused', 'refused'])
        for (const [action, type, fields] of [
          ['/api/integrations/disconnect', 'text/plain', { [JSON.stringify(disconnect).slice(0, -1)]: ',"x":"y"}' }],
          ['/api/integrations/disconnect', 'application/x-www-form-urlencoded', disconnect],
          ['/api/instances', 'multipart/form-data', { user_id: 'default', name: 'Hostile' }],
        ] as const) {
          const answered = hostile.waitForResponse(gateway.url + action)
          await hostile.evaluate(call(POST_FORM, { address: gateway.url + action, type, fields }))
          expect((await answered).status()).toBeGreaterThanOrEqual(400)
          await hostile.waitForURL(gateway.url + action)
          await hostile.goto(site.url.replace('127.0.0.1', host))
        }

        expect(await everything(gateway)).toEqual(before)
        await expect.poll(() => cookies.length).toBeGreaterThanOrEqual(5)
        expect(cookies.every((sent) => sent === sendsCookie)).toBe(true)
        expect(await fromOwnPage(page, id)).toBe(200)
      } finally {
        await site.close()
      }
    },
  )
}

/** What an attack could have changed. */
async function everything({ client }: Gateway) {
  const [connections, keys, instances, apps] = await Promise.all([
    client.connections.list(),
    client.apiKeys.list(),
    client.instances.list(),
    client.oauthApps.list(),
  ])
  return [connections.items, keys.items.map(({ id, revoked_at }) => [id, revoked_at]), instances.items, apps.items]
}

/** The same call from the dashboard succeeds, so it was not for another reason that the attacks failed. */
async function fromOwnPage(page: Page, connectionId: string): Promise<number> {
  return page.evaluate(
    `fetch('/api/integrations/disconnect', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-patchbay-csrf': '1' },
      body: JSON.stringify({ user_id: 'default', connection_id: ${JSON.stringify(connectionId)} }),
    }).then((response) => response.status)`,
  )
}

function call(source: string, argument: object): string {
  return `(${source})(${JSON.stringify(argument)})`
}

/** Runs in the hostile page: what script of another origin can send, one word for each. */
const ATTACK = `async ({ gateway, id, disconnect }) => {
  const send = (path, init) =>
    fetch(gateway + path, { credentials: 'include', ...init }).then(({ type }) => type, () => 'refused')
  const json = { 'content-type': 'application/json' }
  const body = JSON.stringify(disconnect)
  return [
    await send('/api/integrations/disconnect', { method: 'POST', mode: 'no-cors', body }),
    await send('/api/api-keys', { method: 'POST', mode: 'no-cors', body: '{"name":"Hostile","role":"admin"}' }),
    await send('/api/integrations/disconnect', { method: 'POST', headers: json, body }),
    await send('/api/integrations/disconnect', { method: 'POST', headers: { ...json, 'x-patchbay-csrf': '1' }, body }),
    await send('/api/connections/' + id, { method: 'DELETE', headers: { 'x-patchbay-csrf': '1' } }),
  ]
}`

const POST_FORM = `({ address, type, fields }) => {
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', action: address, enctype: type })
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input')
    Object.assign(input, { type: 'hidden', name, value })
    form.append(input)
  }
  document.body.append(form)
  form.submit()
}`
