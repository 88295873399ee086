// Runs before the first paint, so that a chosen theme never flashes the other one.
;(() => {
  try {
    const theme = localStorage.getItem('patchbay.theme')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
  } catch {
    // Storage can be off; the system's setting holds then.
  }
})()
