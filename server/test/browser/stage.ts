import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { startEmulatedGateway } from '../gateway.ts'

export type Gateway = Awaited<ReturnType<typeof startEmulatedGateway>>

/** A gateway of its own with emulated services, and the browsers of the people who use it. */
export interface Stage {
  gateway: Gateway
  /** A browser that shares no cookie with another, with one empty page. */
  newPerson(options?: BrowserContextOptions): Promise<Page>
  /** A console message that this test is about, and therefore no fault. */
  expectMessage(pattern: RegExp): void
  /** What the gateway's pages did that no page should: threw, complained in the console, broke their policy, called elsewhere. */
  faults: string[]
  close(): Promise<void>
}

/** The sign-in page asks whether somebody is signed in, and Chromium reports the answer by itself. */
const ASKS_WHO_IS_SIGNED_IN = /status of 401 .*\/api\/session$/

/** Each test sets its own; the suite ends it and fails on what its pages did wrong. */
export type NewStage = (env?: Record<string, string>) => Promise<Stage>

export async function setStage(browser: Browser, webRoot: string, env: Record<string, string> = {}): Promise<Stage> {
  const gateway = await startEmulatedGateway({ WEB_ROOT: webRoot, ...env })
  const contexts: BrowserContext[] = []
  const expected = [ASKS_WHO_IS_SIGNED_IN]
  const faults: string[] = []

  return {
    gateway,
    faults,
    expectMessage: (pattern) => expected.push(pattern),
    async newPerson(options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        reducedMotion: 'reduce',
        acceptDownloads: true,
        ...options,
      })
      context.setDefaultTimeout(10_000)
      // Nothing leaves this machine, whatever a page tries.
      await context.route(
        ({ hostname }) => !/^(localhost|127\.0\.0\.1)$/.test(hostname),
        (route) => route.abort(),
      )
      watch(context, gateway.url, (fault) => {
        if (!expected.some((pattern) => pattern.test(fault))) faults.push(fault)
      })
      contexts.push(context)
      return context.newPage()
    },
    async close() {
      await Promise.all(contexts.map((context) => context.close()))
      await gateway.stop()
    },
  }
}

function watch(context: BrowserContext, gatewayUrl: string, report: (fault: string) => void): void {
  const isOurs = (url: string) => url === gatewayUrl || url.startsWith(`${gatewayUrl}/`)
  context.on('weberror', (error) => {
    if (isOurs(error.page()?.url() ?? '')) report(`threw ${error.error().stack}`)
  })
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const { url } = message.location()
    if (isOurs(message.page()?.url() ?? '')) report(`said "${message.text()}" about ${url}`)
  })
  context.on('request', (request) => {
    // Going on to a service is what connecting is; pages must not load anything from there.
    if (request.isNavigationRequest()) return
    if (isOurs(request.frame().url()) && !isOurs(request.url())) report(`loaded ${request.url()}`)
  })
}
