import { type Config, ConfigError } from '../config.ts'
import { DEFAULT_PROJECT } from '../core/admin.ts'
import { createEventLog } from '../core/event-log.ts'
import { rotateKeys } from '../core/key-rotation.ts'
import type { Storage } from '../core/storage.ts'
import { createVault, type Keyring, sealedWith } from '../core/vault.ts'
import { addMasterKey } from '../keyring.ts'
import { keyringFor } from '../main.ts'
import { openStorage } from '../storage/open.ts'

/** `patchbay keys rotate | status`. Works beside serving gateways. */
export async function keys(config: Config, [what]: string[]): Promise<void> {
  if (what !== 'rotate' && what !== 'status') throw new ConfigError('use "keys rotate" or "keys status"')
  const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir })
  try {
    const { keyring } = await keyringFor(config, storage)
    if (what === 'rotate') await rotate(config, storage, keyring)
    else await status(storage, keyring)
  } finally {
    await storage.close()
  }
}

async function rotate(config: Config, storage: Storage, keyring: Keyring): Promise<void> {
  if (await unfinished(storage, keyring)) {
    console.log(`Finishing a rotation to master key ${keyring.current().id} that has begun.`)
  } else if (config.masterKeys) {
    console.log(
      'All data is under the first key of MASTER_KEYS already. To rotate, put a new key first in MASTER_KEYS, restart the gateway, and run this again.',
    )
    return
  } else {
    console.log(`Added master key ${addMasterKey(config.dataDir)} to the keyring file.`)
    keyring = (await keyringFor(config, storage)).keyring
  }
  const vault = createVault(keyring, storage)
  const report = await rotateKeys({
    storage,
    vault,
    keyring,
    now: Date.now,
    onProject: (id, done) => console.log(`  ${id}: ${done.resealed} values sealed anew`),
  })
  await tell(storage, { master_key: keyring.current().id, resealed: report.resealed, unreadable: report.unreadable })
  if (report.unreadable > 0) {
    throw new ConfigError(
      `${report.unreadable} values do not open under any key of the ring and were left as they are; everything else (${report.resealed} values) is under master key ${keyring.current().id}. Restore the key they belong to and run this again, or let their users connect again.`,
    )
  }
  console.log(
    `Done: ${report.resealed} values in ${report.projects} projects are under master key ${keyring.current().id}.`,
  )
  console.log(
    'Back up the key again. Running gateways retire the old data keys within about an hour; old master keys stay in the file for old backups.',
  )
}

/** Rotating is an act of administration, told in the log of the project that runs the gateway. */
async function tell(storage: Storage, details: Record<string, unknown>): Promise<void> {
  const events = createEventLog({ storage, now: Date.now, onTrouble: () => {} })
  const actor = { type: 'system', id: 'patchbay keys rotate' } as const
  await events.write([events.event({ projectId: DEFAULT_PROJECT, type: 'keys.rotated', actor, details })])
}

/** A project whose newest data key is not under the newest master key, while another's is. */
async function unfinished(storage: Storage, keyring: Keyring): Promise<boolean> {
  const current = keyring.current().id
  for (const project of await storage.projects.list()) {
    const dataKeys = await storage.dataKeys.list(project.id)
    if (dataKeys.some((key) => sealedWith(key.wrapped) !== current)) return true
  }
  return false
}

async function status(storage: Storage, keyring: Keyring): Promise<void> {
  console.log(`Newest master key: ${keyring.current().id}`)
  for (const project of await storage.projects.list()) {
    for (const key of await storage.dataKeys.list(project.id)) {
      const under = sealedWith(key.wrapped)
      console.log(
        `  ${project.id}  data key ${key.id} of ${new Date(key.createdAt).toISOString()} under ${under}${keyring.find(under) ? '' : ' (MISSING from the keyring)'}`,
      )
    }
  }
}
