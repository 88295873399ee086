import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Change } from '../core/storage.ts'
import { closedError, type Unit } from './engine.ts'
import { isBusy, sqliteError } from './sqlite-errors.ts'
import type { RunSync } from './sqlite-statements.ts'

/** One group holds the event loop no longer than this, its commit aside. */
const GROUP_MS = 20
/** Units a group takes whatever the time: on a slow disk too, many writes share a flush. */
const GROUP_LEAST = 32
/** How long a write waits for other processes to let go of the file. */
const BUSY_MS = 30_000

export interface Writer {
  write<Result>(unit: () => Unit<Result>): Promise<Result>
  /** Commits what waits and refuses what comes after. */
  close(): Promise<void>
}

interface Waiting {
  unit: () => Unit<unknown>
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

/**
 * Commits the units that arrive in the same turn of the event loop together: one flush to disk makes all of them
 * durable, which is what allows thousands of small durable writes a second. A unit that fails is undone alone.
 *
 * `record` stores a change inside the transaction; `committed` is called after a group that recorded one.
 */
export function groupCommit(
  database: DatabaseSync,
  run: RunSync,
  record: (change: Change) => void,
  committed: () => void,
): Writer {
  const waiting: Waiting[] = []
  let busySince: number | undefined
  let working: Promise<void> | undefined
  let closed = false

  async function work(): Promise<void> {
    // Leaves the current turn first, so that everything issued in it is in the group.
    await new Promise(setImmediate)
    while (waiting.length > 0) {
      const busy = commitGroup()
      // Random, so that processes that wait for the same file do not meet again and again.
      await (busy ? pause(1 + Math.random() * 4) : new Promise(setImmediate))
    }
    working = undefined
  }

  /** Takes a group from the queue and settles it; true when the file was busy and the group waits on. */
  function commitGroup(): boolean {
    const group: (Waiting & { error?: unknown; result?: unknown })[] = []
    let changed = false
    try {
      database.exec('begin immediate')
      const start = performance.now()
      while (waiting.length > 0 && (group.length < GROUP_LEAST || performance.now() - start < GROUP_MS)) {
        const { unit, resolve, reject } = waiting.shift() as Waiting
        const next: (typeof group)[number] = { unit, resolve, reject }
        group.push(next)
        database.exec('savepoint unit')
        try {
          const { result, changes } = drive(unit(), run)
          for (const change of changes) record(change)
          next.result = result
          changed ||= changes.length > 0
        } catch (error) {
          // A full disk or a failing one ends the whole transaction; then nothing of the group has happened.
          if (!database.isTransaction) throw error
          database.exec('rollback to unit')
          next.error = sqliteError(error)
        }
        database.exec('release unit')
      }
      database.exec('commit')
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      busySince ??= performance.now()
      if (isBusy(error) && performance.now() - busySince < BUSY_MS) {
        waiting.unshift(...group)
        return true
      }
      busySince = undefined
      const lost = isBusy(error) ? [...group, ...waiting.splice(0)] : group.length > 0 ? group : waiting.splice(0)
      for (const { reject } of lost) reject(error)
      return false
    }
    busySince = undefined
    for (const { resolve, reject, result, error } of group) error === undefined ? resolve(result) : reject(error)
    if (changed) committed()
    return false
  }

  return {
    write<Result>(unit: () => Unit<Result>) {
      if (closed) return Promise.reject(closedError())
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ unit, resolve: resolve as (result: unknown) => void, reject })
        working ??= work()
      })
    },

    async close() {
      closed = true
      await working
    },
  }
}

/** Runs a unit's steps one after the other, synchronously. */
function drive<Result>(unit: Unit<Result>, run: RunSync): { result: Result; changes: Change[] } {
  const changes: Change[] = []
  let step = unit.next([])
  while (!step.done) {
    // Locks are for engines that run units side by side; here the transaction is the lock.
    if (step.value.do === 'tell') changes.push(step.value.change)
    step = unit.next(step.value.do === 'run' ? run(step.value.query) : [])
  }
  return { result: step.value, changes }
}
