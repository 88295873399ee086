import { findCommand, versionOf } from './command.ts'
import { given, missing, type StartService } from './service.ts'

const VARIABLE = 'TEST_CHROMIUM'

/** A browser for the tests to start themselves. */
export const findChromium: StartService = async () => {
  const known = given('Chromium', VARIABLE)
  if (known) return known
  const path = findCommand(
    ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'Google Chrome', 'Chromium'],
    ['/Applications/Google Chrome.app/Contents/MacOS', '/Applications/Chromium.app/Contents/MacOS'],
  )
  if (!path) return missing('Chromium', 'chromium', VARIABLE)
  return { line: `Chromium ${await versionOf(path)} at ${path}`, env: { [VARIABLE]: path } }
}
