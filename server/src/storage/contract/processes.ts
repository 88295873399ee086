import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Place } from './place.ts'
import { sampleProject, storedProject } from './samples.ts'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

export function processesContract(makePlace: () => Promise<Place>): void {
  describe('several processes', () => {
    let place: Place
    const children: ChildProcess[] = []
    beforeEach(async () => {
      place = await makePlace()
    })
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      await place?.remove()
    })

    function start(job: 'open' | 'write', ...rest: string[]) {
      const child = spawn(process.execPath, [CHILD, job, JSON.stringify(place.options), ...rest], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      return child
    }

    test('processes that start together on an empty database make its tables exactly once', async () => {
      const exits = await Promise.all(Array.from({ length: 4 }, () => once(start('open'), 'exit')))

      expect(exits).toEqual(Array.from({ length: 4 }, () => [0, null]))
      const versions = await place.execute('select version from schema_version order by version')
      expect(versions.map((each) => Number(each['version']))).toEqual(versions.map((_, n) => n + 1))
      expect(versions.length).toBeGreaterThan(0)
    })

    test('a database that a newer version wrote is refused with a sentence that says what to do', async () => {
      await (await place.open()).close()
      await place.execute("insert into schema_version values (9999, 'from the future', 0)")

      const refused = place.open()

      await expect(refused).rejects.toMatchObject({
        code: 'not_configured',
        message: expect.stringMatching(/^The database is at schema version 9999, .*: start the newer Patchbay .*\.$/),
      })
    })

    test('everything a process acknowledged is there after it was killed', async () => {
      const storage = await place.open()
      for (let round = 0; round < 3; round++) {
        const projectId = await storedProject(storage)
        const child = start('write', projectId)
        let said = ''
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          said += text
          if (said.split('\n').length > 100) child.kill('SIGKILL')
        })
        await once(child, 'close')
        expect(child.signalCode).toBe('SIGKILL')

        const again = await place.open()
        const acknowledged = said.split('\n').slice(0, -1)
        expect(acknowledged.length).toBeGreaterThanOrEqual(100)
        const events = await Array.fromAsync(again.events.stream(projectId, {}))
        const stored = new Map(events.map((event) => [event.id, event.connectionId]))
        for (const line of acknowledged) {
          const [connectionId = '', eventId = ''] = line.split(' ')
          expect(stored.get(eventId)).toBe(connectionId)
          expect(await again.connections.get(projectId, 'ann', connectionId)).toBeDefined()
        }
        // Not one event without its connection: they were one unit.
        const connections = await again.connections.listProject(projectId, { limit: 100_000 })
        expect(new Set(connections.map((each) => each.id))).toEqual(new Set(stored.values()))
      }
    })

    test('closing stores what was still waiting and refuses what comes after', async () => {
      const storage = await place.open()
      const project = sampleProject()
      const waiting = storage.projects.create(project)

      await Promise.all([waiting, storage.close()])

      await expect(storage.projects.create(sampleProject())).rejects.toMatchObject({ code: 'shutting_down' })
      await expect(storage.projects.list()).rejects.toMatchObject({ code: 'shutting_down' })
      expect(() => storage.catchUp()).not.toThrow()
      await expect(storage.close()).resolves.toBeUndefined()
      expect(await (await place.open()).projects.get(project.id)).toEqual(project)
    })
  })
}
