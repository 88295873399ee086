import type { Caller } from './caller.ts'
import { PatchbayError } from './errors.ts'
import { by, type EventLog } from './event-log.ts'
import type { InstancesOf } from './gateway.ts'
import { assertUser, isWithin, narrowed } from './policy.ts'
import { newId, newSecret, secretHash } from './secrets.ts'
import type { Instance, Storage } from './storage.ts'

const MAX_PER_USER = 100

/** MCP addresses of users. A token is shown once, when it is made. */
export function createInstances(options: { storage: Storage; events: EventLog; now: () => number }): InstancesOf {
  const { storage, events, now } = options

  const get: InstancesOf['get'] = async (caller, userId, id) => {
    assertUser(caller, userId)
    const instance = await storage.instances.get(caller.projectId, userId, id)
    if (!instance) throw unknown(userId, id)
    return instance
  }

  const told = (
    caller: Caller,
    requestId: string,
    type: 'instance.created' | 'instance.updated' | 'instance.deleted' | 'instance.token_rotated',
    instance: Pick<Instance, 'id' | 'userId'>,
  ) => events.event({ ...by(caller, requestId), type, userId: instance.userId, details: { instance_id: instance.id } })

  return {
    get,

    async create(caller, request, requestId) {
      assertUser(caller, request.userId)
      if ((await storage.instances.list(caller.projectId, request.userId)).length >= MAX_PER_USER) {
        throw new PatchbayError(
          'conflict',
          `User "${request.userId}" already has ${MAX_PER_USER} instances. Delete some first.`,
        )
      }
      const token = newSecret('pb_inst_')
      const instance: Instance = {
        id: newId('inst_'),
        projectId: caller.projectId,
        userId: request.userId,
        name: request.name ?? 'Default',
        tokenHash: secretHash(token),
        tokenPrefix: token.slice(0, 14),
        // An instance can never do more than the key that made it.
        policy: narrowed(caller.policy, request.policy ?? {}),
        createdAt: now(),
        updatedAt: now(),
        lastUsedAt: null,
      }
      await storage.instances.create(instance, [told(caller, requestId, 'instance.created', instance)])
      return { instance, token }
    },

    async list(caller, userId) {
      if (userId !== undefined) assertUser(caller, userId)
      const user = caller.userId ?? userId
      const all = await storage.instances.list(caller.projectId, user)
      return all.filter((one) => !caller.policy.users || caller.policy.users.includes(one.userId))
    },

    async update(caller, userId, id, changes, requestId) {
      const instance = await get(caller, userId, id)
      const narrow = changes.policy && { policy: narrowed(caller.policy, changes.policy) }
      const updated = await storage.instances.update(caller.projectId, userId, id, { ...changes, ...narrow }, [
        told(caller, requestId, 'instance.updated', instance),
      ])
      if (!updated) throw unknown(userId, id)
      return updated
    },

    async rotateToken(caller, userId, id, requestId) {
      const before = await get(caller, userId, id)
      // The token is the instance: whoever gets it can do what the instance can.
      if (!isWithin(caller.policy, before.policy)) {
        throw new PatchbayError(
          'forbidden',
          `The instance "${before.name}" may do more than this key; its token can be made anew only by a key that may do as much.`,
        )
      }
      const token = newSecret('pb_inst_')
      const instance = await storage.instances.update(
        caller.projectId,
        userId,
        id,
        { tokenHash: secretHash(token), tokenPrefix: token.slice(0, 14) },
        [told(caller, requestId, 'instance.token_rotated', before)],
      )
      if (!instance) throw unknown(userId, id)
      return { instance, token }
    },

    async remove(caller, userId, id, requestId) {
      const instance = await get(caller, userId, id)
      await storage.instances.remove(caller.projectId, userId, id, [
        told(caller, requestId, 'instance.deleted', instance),
      ])
    },
  }
}

function unknown(userId: string, id: string): PatchbayError {
  return new PatchbayError('not_found', `User "${userId}" has no instance "${id}".`)
}
