/**
 * Where the focus goes back to when the last window closes. One window may take another's place (waiting, then a form),
 * so what opened the first one counts.
 */
let opener: HTMLElement | null = null

/** Call it while a window opens, before the focus moves into it. */
export function rememberOpener(): void {
  const active = document.activeElement
  if (!(active instanceof HTMLElement) || active === document.body || active.closest('[role=dialog]')) return
  // An entry of a menu is gone by then; the menu's button is not.
  const menu = active.closest('[role=menu]')
  opener = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : active
}

/** Call it once a window has closed. */
export function returnFocus(): void {
  if (document.querySelector('[role=dialog]')) return
  if (opener?.isConnected) opener.focus()
  opener = null
}
