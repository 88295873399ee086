import { readFile } from 'node:fs/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Event } from '@patchbay/sdk'
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { newPerson } from '../../../examples/demo/person.ts'
import { alreadyConnected, CONSENT_BUTTON, goTo, signIn } from './dashboard.ts'
import type { NewStage } from './stage.ts'

const MOST_CLICKS = 5

export function usingTests(newStage: NewStage): void {
  test('from the first page to a first result it is at most five clicks, consent at the service included', async () => {
    const { gateway, newPerson } = await newStage()
    const page = await newPerson()
    await signIn(page, gateway)
    const clicks = counted()

    await clicks.on(page.getByRole('link', { name: 'Connect Gmail' }))
    const opened = page.waitForEvent('popup')
    await clicks.on(page.getByRole('button', { name: 'Continue to Gmail' }))
    await clicks.on((await opened).locator(CONSENT_BUTTON, { hasText: 'ada@example.com' }))
    await clicks.on(page.getByRole('button', { name: 'Try a tool' }))
    await page.getByText('GMAIL_FETCH_EMAILS').first().waitFor()
    await clicks.on(page.getByRole('button', { name: 'Run', exact: true }))

    await page.getByText('The engine runs').first().waitFor()
    expect(clicks.made()).toBeLessThanOrEqual(MOST_CLICKS)
  })

  test('with an account connected it is three; the result is readable, as JSON, and has its event', async () => {
    const { gateway, newPerson: newBrowser } = await newStage()
    await alreadyConnected(gateway, newPerson(), 'Gmail')
    const page = await newBrowser()
    await signIn(page, gateway)
    const clicks = counted()
    await clicks.on(page.getByRole('link', { name: 'Pick a tool' }))
    await clicks.on(page.getByRole('link', { name: 'Search mail' }))
    await clicks.on(page.getByRole('button', { name: 'Run', exact: true }))
    await page.getByRole('cell', { name: 'The engine runs' }).waitFor()
    expect(clicks.made()).toBe(3)

    await page.getByRole('tab', { name: 'JSON' }).click()
    const shown = JSON.parse((await page.locator('figure pre').textContent()) as string)
    expect(shown.messages).toContainEqual(expect.objectContaining({ subject: 'The engine runs' }))
    await page.getByRole('button', { name: 'See its event' }).click()
    const drawer = page.getByRole('dialog', { name: 'Tool called' })
    await drawer.getByText('GMAIL_FETCH_EMAILS').waitFor()
    const [event] = (await gateway.client.events.list({ types: ['tool.called'] })).items
    expect(await drawer.textContent()).toContain(event?.id)
  })

  test('the MCP address and token that the first page shows work in an agent, and the page notices', async () => {
    const { gateway, newPerson: newBrowser } = await newStage()
    await alreadyConnected(gateway, newPerson(), 'Gmail')
    const page = await newBrowser()
    await signIn(page, gateway)
    await page.getByRole('button', { name: 'Create the address' }).click()
    await page.getByText('Copy it now').waitFor()
    const address = await copied(page, 'MCP address')
    const token = await copied(page, 'Token')
    expect(await page.locator('figure pre').textContent()).toContain(`Authorization: Bearer ${token}`)

    const client = new Client({ name: 'an-agent', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    const requestInit = { headers: { authorization: `Bearer ${token}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit }))
    const { tools } = await client.listTools()
    const result = await client.callTool({ name: 'GMAIL_FETCH_EMAILS', arguments: { max_results: 1 } })
    await client.close()

    expect(tools.map(({ name }) => name)).toContain('GMAIL_SEND_EMAIL')
    expect(JSON.stringify(result.content)).toContain('The engine runs')
    await page.reload()
    await page.getByText('An agent last called').waitFor()
    await page.getByText('was shown when it was made').waitFor()
    expect(await page.content()).not.toContain(token)
  })

  test('events show all of this, are filtered, and are downloaded as JSON Lines', async () => {
    const { gateway, newPerson: newBrowser } = await newStage()
    const { client } = gateway
    const id = await alreadyConnected(gateway, newPerson(), 'Gmail')
    await client.tools.execute({ user_id: 'default', action: 'GMAIL_LIST_LABELS' })
    await client.tools.execute({ user_id: 'default', action: 'GMAIL_FETCH_EMAILS' })
    await client.connections.disconnect(id, { user_id: 'default' })
    const page = await newBrowser()
    await signIn(page, gateway)
    await goTo(page, 'Events')
    const rows = page.getByRole('list', { name: 'Events' }).getByRole('button')
    for (const title of [
      'Connection authorize',
      'Connection callback',
      'Connection connected',
      'Tool called',
      'Connection disconnected',
      'Session created',
    ]) {
      await rows.filter({ hasText: title }).first().waitFor()
    }

    await page.getByLabel('Type', { exact: true }).selectOption('tool.called')
    await expect.poll(() => rows.count()).toBe(2)
    await page.getByLabel('Tool name').fill('gmail_list_labels')
    await expect.poll(() => rows.count()).toBe(1)

    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Export' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toMatch(/\.jsonl$/)
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
    const events = lines.map((line) => JSON.parse(line) as Event)
    expect(events).toMatchObject([{ type: 'tool.called', tool: 'GMAIL_LIST_LABELS', outcome: 'ok' }])

    await page.getByLabel('Tool name').fill('NO_SUCH_TOOL')
    await page.getByText('No event matches').waitFor()
    await page.getByRole('button', { name: 'Clear the filters' }).click()
    await rows.filter({ hasText: 'Session created' }).first().waitFor()
  })
}

function counted() {
  let made = 0
  return {
    made: () => made,
    async on(target: Locator) {
      made++
      await target.click()
    },
  }
}

/** What stands in the box under a label, ready to be copied. */
async function copied(page: Page, label: string): Promise<string> {
  const box = page.getByText(label, { exact: true }).locator('xpath=following-sibling::*[1]')
  return (await box.locator('code').textContent()) as string
}
