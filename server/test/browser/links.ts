import { expect, test } from 'vitest'
import { CONSENT_BUTTON, refuse } from './dashboard.ts'
import type { NewStage } from './stage.ts'

export function linkTests(newStage: NewStage): void {
  test('leads one person from its page through consent to the connection, and ends with it', async () => {
    const stage = await newStage()
    const { client } = stage.gateway
    const link = await client.connectLinks.create({ user_id: 'u1', connectors: ['gmail', 'slack'] })
    const page = await stage.newPerson()
    await page.goto(link.url)
    await page.getByRole('heading', { level: 1, name: 'Connect your accounts' }).waitFor()
    expect(await page.getByRole('button').allTextContents()).toEqual(['Connect Gmail', 'Connect Slack'])
    const asked = page.getByRole('region', { name: 'Gmail' }).getByRole('list', { name: 'What it will be able to do' })
    expect(await asked.getByRole('listitem').allTextContents()).toContain('ReadRead all mail and settings')

    await page.getByRole('button', { name: 'Connect Gmail' }).click()
    await page.locator(CONSENT_BUTTON, { hasText: 'ada@example.com' }).click()
    await page.getByRole('heading', { level: 1, name: 'Gmail is connected' }).waitFor()
    expect(await page.getByRole('status').textContent()).toContain('As ada@example.com.')
    expect((await client.connections.list({ user_id: 'u1' })).items).toMatchObject([
      { connector: 'gmail', status: 'active' },
    ])

    stage.expectMessage(/status of 404 .*\/connect\/cl_/)
    const again = await page.goto(link.url)
    expect(again?.status()).toBe(404)
    expect(await page.getByRole('alert').textContent()).toMatch(/was used already.*Ask for a new/s)
  })

  test('works only in the browser that opened it first', async () => {
    const stage = await newStage()
    const link = await stage.gateway.client.connectLinks.create({ user_id: 'u1', connectors: ['github'] })
    const first = await stage.newPerson()
    await first.goto(link.url)
    const second = await stage.newPerson()
    stage.expectMessage(/status of 404 .*\/connect\/cl_/)

    const answer = await second.goto(link.url)

    expect(answer?.status()).toBe(404)
    expect(await second.getByRole('alert').textContent()).toContain('opened in another browser')
    await first.getByRole('button', { name: 'Connect GitHub' }).click()
    await first.locator(CONSENT_BUTTON, { hasText: 'Ada Lovelace' }).click()
    await first.getByRole('heading', { level: 1, name: 'GitHub is connected' }).waitFor()
  })

  test('survives a refusal at the service: the page says so, and the link can be used again', async () => {
    const stage = await newStage()
    const link = await stage.gateway.client.connectLinks.create({ user_id: 'u1', connectors: ['slack'] })
    const page = await stage.newPerson()
    await page.goto(link.url)
    await page.getByRole('button', { name: 'Connect Slack' }).click()
    await page.locator(CONSENT_BUTTON).first().waitFor()
    stage.expectMessage(/status of 400 .*error=access_denied/)

    await refuse(page)

    await page.getByRole('heading', { level: 1, name: 'Slack was not connected' }).waitFor()
    expect((await stage.gateway.client.connections.list({ user_id: 'u1' })).items).toEqual([])
    await page.goto(link.url)
    await page.getByRole('button', { name: 'Connect Slack' }).click()
    await page.locator(CONSENT_BUTTON, { hasText: 'Ada Lovelace' }).click()
    await page.getByRole('heading', { level: 1, name: 'Slack is connected' }).waitFor()
  })
}
