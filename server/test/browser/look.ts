import type { Page } from 'playwright-core'

const CONTROLS = new Set([
  'button',
  'checkbox',
  'combobox',
  'link',
  'menuitem',
  'radio',
  'searchbox',
  'spinbutton',
  'switch',
  'tab',
  'textbox',
])

interface AxNode {
  ignored: boolean
  role?: { value: string }
  name?: { value: string }
  properties?: { name: string; value: { value: unknown } }[]
}

/** What is wrong with a page as it stands: each a sentence. `window` is a dialog that lies over the page. */
export async function faultsOf(page: Page, { window = false } = {}): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] }
  await session.detach()
  const heard = nodes.filter(({ ignored }) => !ignored)
  const nameless = heard.filter(({ role, name }) => CONTROLS.has(role?.value ?? '') && !name?.value.trim())
  const first = heard.filter(
    ({ role, properties }) =>
      role?.value === 'heading' && properties?.some(({ name, value }) => name === 'level' && value.value === 1),
  )
  const seen = (await page.evaluate(`(${LOOK})()`)) as string[]
  const title = await page.title()
  return [
    ...seen,
    ...nameless.map(({ role }) => `a ${role?.value} without a name`),
    ...(window || first.length === 1 ? [] : [`${first.length} headings of the first level`]),
    ...(title === '' ? ['no title'] : []),
  ]
}

/** Where the keyboard is: what has the focus, and what is wrong with how that shows. */
export async function focusOf(page: Page): Promise<{ name: string; fault: string | undefined }> {
  return (await page.evaluate(`(${FOCUS})()`)) as { name: string; fault: string | undefined }
}

/**
 * Runs in the page. Contrast is that of WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large text; controls that are off and
 * decoration are free. Colours are painted on a canvas, since styles may name them in any notation.
 */
const LOOK = `async () => {
  const faults = []
  // Colours may come in by a transition, however short.
  await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth) faults.push('scrolls sideways by ' + (scrollWidth - clientWidth) + ' px')
  const brush = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true })
  const paint = (colours) => {
    brush.clearRect(0, 0, 1, 1)
    for (const colour of colours) {
      brush.fillStyle = colour
      brush.fillRect(0, 0, 1, 1)
    }
    return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const canvasColour = matchMedia('(prefers-color-scheme: dark)').matches ? '#000' : '#fff'
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const looked = new Set()
  while (texts.nextNode()) {
    const words = texts.currentNode.data.trim()
    const element = texts.currentNode.parentElement
    if (words === '' || looked.has(element)) continue
    looked.add(element)
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
    if (element.closest('[aria-hidden=true], [aria-disabled=true], :disabled, script, style, noscript, .sr-only, option')) continue
    if (document.querySelector('[role=dialog]') && !element.closest('[role=dialog]')) continue
    const behind = []
    for (let one = element; one; one = one.parentElement) behind.unshift(getComputedStyle(one).backgroundColor)
    const style = getComputedStyle(element)
    const ground = light(paint([canvasColour, ...behind]))
    const ink = light(paint([canvasColour, ...behind, style.color]))
    const ratio = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05)
    const size = parseFloat(style.fontSize)
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if (ratio < (large ? 3 : 4.5)) faults.push('contrast ' + ratio.toFixed(2) + ' of "' + words.slice(0, 40) + '"')
  }
  return faults
}`

const FOCUS = `async () => {
  // Styles of the focus may come in by a transition, however short.
  await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))
  const element = document.activeElement
  if (!element || element === document.body) return { name: '', fault: undefined }
  const name = (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent).trim()
  // A control that is drawn by its label shows the focus there.
  const shown = [element, element.closest('label')].filter(Boolean).map((one) => getComputedStyle(one))
  const ringed = shown.some((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1)
  const { width, height, top, bottom, left, right } = element.getBoundingClientRect()
  const inside = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
  const fault = !ringed ? 'no focus ring' : width === 0 || height === 0 || !inside ? 'focused out of sight' : undefined
  return { name, fault: fault && fault + ' on "' + name.slice(0, 60) + '"' }
}`
