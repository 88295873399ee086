import { describe } from 'vitest'
import { callersContract } from './callers.ts'
import { changesContract } from './changes.ts'
import { connectingContract } from './connecting.ts'
import { connectionsContract } from './connections.ts'
import { eventsContract } from './events.ts'
import type { Place } from './place.ts'
import { processesContract } from './processes.ts'
import { projectsContract } from './projects.ts'
import { refreshContract } from './refreshes.ts'

/** What every engine must do. `missing` says why it cannot run here; then its tests are reported as skipped. */
export function storageContract(name: string, makePlace: () => Promise<Place>, missing?: string): void {
  describe.skipIf(missing !== undefined)(missing ? `${name} (skipped: ${missing})` : name, () => {
    projectsContract(makePlace)
    connectionsContract(makePlace)
    refreshContract(makePlace)
    connectingContract(makePlace)
    callersContract(makePlace)
    eventsContract(makePlace)
    changesContract(makePlace)
    processesContract(makePlace)
  })
}
