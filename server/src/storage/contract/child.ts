import { openStorage, type StorageOptions } from '../open.ts'
import { sampleConnection, sampleEvent } from './samples.ts'

/**
 * A second process for the contract: `node child.ts <job> <options>`. `open` opens the storage and closes it again;
 * `write` stores connections with an event each and prints a line for each once it is durable, until it is killed.
 */
const [job, options, projectId = ''] = process.argv.slice(2)
const storage = await openStorage(JSON.parse(options as string) as StorageOptions)

if (job === 'write') {
  const writeOn = async () => {
    for (;;) {
      const connection = sampleConnection(projectId)
      const event = sampleEvent(projectId, { connectionId: connection.id })
      await storage.connections.create(connection, [event])
      process.stdout.write(`${connection.id} ${event.id}\n`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, writeOn))
}
await storage.close()
