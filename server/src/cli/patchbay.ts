import { ConfigError, readConfig } from '../config.ts'
import { PatchbayError } from '../core/errors.ts'
import { VaultError } from '../core/vault.ts'

interface Command {
  about: string
  run(args: string[]): Promise<void>
}

const COMMANDS: Record<string, Command> = {
  serve: {
    about: 'Start the gateway (what `npm start` does).',
    run: async () => (await import('./serve.ts')).serveCommand(readConfig()),
  },
  doctor: {
    about: 'Check settings, storage, keyring and OAuth apps, and say what to mend.',
    run: async () => (await import('./doctor.ts')).doctor(readConfig()),
  },
  keys: {
    about:
      'keys rotate: add a master key and bring all data under it, while serving. keys status: what is under which key.',
    run: async (args) => (await import('./keys.ts')).keys(readConfig(), args),
  },
  'admin-key': {
    about: 'Make another admin key, for when the first was lost.',
    run: async () => (await import('./admin-key.ts')).adminKey(readConfig()),
  },
  audit: {
    about: 'audit [--project ID] [--from ISO] [--to ISO]: print events as JSON Lines.',
    run: async (args) => (await import('./audit.ts')).audit(readConfig(), args),
  },
  settings: {
    about: 'Print the table of settings as Markdown.',
    run: async () => (await import('./settings.ts')).printSettings(),
  },
}

/**
 * Runs one command of `patchbay`; without a word it serves. A failure a person can mend ends the process with one
 * sentence and a code other than 0.
 */
export async function runCommand([name = 'serve', ...args]: string[]): Promise<void> {
  const command = COMMANDS[name]
  if (!command) {
    const usage = Object.entries(COMMANDS).map(([word, { about }]) => `  ${word.padEnd(10)} ${about}`)
    const asked = ['help', '--help', '-h'].includes(name)
    ;(asked ? console.log : console.error)(
      [...(asked ? [] : [`There is no command "${name}".`]), 'patchbay <command>', ...usage].join('\n'),
    )
    process.exitCode = asked ? 0 : 2
    return
  }
  try {
    await command.run(args)
  } catch (error) {
    const forPeople = error instanceof ConfigError || error instanceof VaultError || error instanceof PatchbayError
    console.error(
      forPeople ? `Patchbay cannot ${name === 'serve' ? 'start' : `do that`}: ${(error as Error).message}` : error,
    )
    process.exit(1)
  }
}
