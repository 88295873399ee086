import type { DatabaseSync } from 'node:sqlite'
import type { Change } from '../core/storage.ts'

/** Rows of the change table that stay for processes that are slow to look. */
const KEPT = 10_000
const TRIM_EVERY = 1_000

export interface ChangeFeed {
  /** Stores a change, inside the writer's transaction. */
  record(change: Change): void
  /** Tells the listeners what was committed since the last look, by any process. Microseconds when nothing was. */
  look(): void
  listen(listener: (change: Change) => void): void
}

/** Changes pass from process to process through a table; its numbers have no gaps, so a trimmed row is noticed. */
export function changeFeed(writer: DatabaseSync, reader: DatabaseSync): ChangeFeed {
  const listeners: ((change: Change) => void)[] = []
  const insert = writer.prepare('insert into change (told) values (?)')
  const trim = writer.prepare('delete from change where seq <= ?')
  const version = reader.prepare('pragma data_version')
  const since = reader.prepare('select seq, told from change where seq > ? order by seq')
  const newest = reader.prepare('select coalesce(max(seq), 0) as seq from change')

  let seenVersion = dataVersion()
  let seenSeq = newestSeq()

  function dataVersion(): number {
    return version.get()?.['data_version'] as number
  }

  function newestSeq(): number {
    return newest.get()?.['seq'] as number
  }

  function tell(change: Change): void {
    for (const listener of listeners) listener(change)
  }

  return {
    record(change) {
      const { lastInsertRowid } = insert.run(JSON.stringify(change))
      const seq = Number(lastInsertRowid)
      if (seq % TRIM_EVERY === 0) trim.run(seq - KEPT)
    },

    look() {
      const now = dataVersion()
      if (now === seenVersion) return
      seenVersion = now
      const changes = since.all(seenSeq) as { seq: number; told: string }[]
      const first = changes[0]
      const last = changes.at(-1)
      if (!first || !last) return
      const gap = first.seq !== seenSeq + 1
      seenSeq = last.seq
      if (gap) return tell({ kind: 'everything' })
      for (const { told } of changes) tell(JSON.parse(told) as Change)
    },

    listen(listener) {
      listeners.push(listener)
    },
  }
}
