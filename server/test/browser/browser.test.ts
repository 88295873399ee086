import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import { administrationTests } from './administration.ts'
import { appPageTests } from './app-page.ts'
import { buildWebPages, launchChromium } from './chromium.ts'
import { connectingTests } from './connecting.ts'
import { finishTests } from './finish.ts'
import { linkTests } from './links.ts'
import { type Stage, setStage } from './stage.ts'
import { usingTests } from './using.ts'

const CHROMIUM = process.env['TEST_CHROMIUM']

/** The gateway as it is, in a real browser, with the published emulators of Google, Slack and GitHub behind it. */
describe.skipIf(!CHROMIUM)(`in Chromium${CHROMIUM ? '' : ' (skipped: TEST_CHROMIUM names no browser)'}`, () => {
  let browser: Browser
  let pages: Awaited<ReturnType<typeof buildWebPages>>
  let stage: Stage | undefined

  beforeAll(async () => {
    ;[pages, browser] = await Promise.all([buildWebPages(), launchChromium(CHROMIUM as string)])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await pages?.remove()
  })
  beforeEach(() => {
    stage = undefined
  })
  afterEach(async () => {
    await stage?.close()
    expect(stage?.faults ?? []).toEqual([])
  })

  async function newStage(env?: Record<string, string>): Promise<Stage> {
    stage = await setStage(browser, pages.folder, env)
    return stage
  }

  describe('connecting from the dashboard', () => connectingTests(newStage))
  describe('connecting from an application of one’s own', () => appPageTests(newStage))
  describe('a connect link', () => linkTests(newStage))
  describe('using what is connected', () => usingTests(newStage))
  describe('administration', () => administrationTests(newStage))
  describe('finish', () => finishTests(newStage))
})
