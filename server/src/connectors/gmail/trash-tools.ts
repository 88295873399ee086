import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { mailbox, messageId, messageIds, threadId, userId } from './fields.ts'
import { scopes, toErase, toLabel } from './scopes.ts'

export const trashTools = defineTools(scopes, {
  GMAIL_MOVE_TO_TRASH: {
    title: 'Bin a message',
    description:
      'Puts one message in the bin, where Gmail keeps it for 30 days. This is the right way to delete; undo with GMAIL_UNTRASH_MESSAGE.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z.object({ message_id: messageId, user_id: userId }),
    paramAliases: { id: 'message_id' },
    run: async ({ message_id, user_id }, service) =>
      moved(await service.post(mailbox(user_id, 'messages', message_id, 'trash'))),
  },

  GMAIL_UNTRASH_MESSAGE: {
    title: 'Take a message out of the bin',
    description:
      'Takes one message back out of the bin. Find binned ones with GMAIL_FETCH_EMAILS and the query in:trash.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z.object({ message_id: messageId, user_id: userId }),
    paramAliases: { id: 'message_id' },
    run: async ({ message_id, user_id }, service) =>
      moved(await service.post(mailbox(user_id, 'messages', message_id, 'untrash'))),
  },

  GMAIL_MOVE_THREAD_TO_TRASH: {
    title: 'Bin a conversation',
    description: 'Puts every message of a conversation in the bin for 30 days. Undo with GMAIL_UNTRASH_THREAD.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z.object({ thread_id: threadId, user_id: userId }),
    paramAliases: { id: 'thread_id' },
    run: async ({ thread_id, user_id }, service) => {
      const thread = await service.post(mailbox(user_id, 'threads', thread_id, 'trash'))
      return { thread_id: thread?.id ?? thread_id, trashed: true }
    },
  },

  GMAIL_UNTRASH_THREAD: {
    title: 'Take a conversation out of the bin',
    description: 'Takes every message of a conversation back out of the bin.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z.object({ thread_id: threadId, user_id: userId }),
    paramAliases: { id: 'thread_id' },
    run: async ({ thread_id, user_id }, service) => {
      const thread = await service.post(mailbox(user_id, 'threads', thread_id, 'untrash'))
      return { thread_id: thread?.id ?? thread_id, trashed: false }
    },
  },

  GMAIL_DELETE_MESSAGE: {
    title: 'Erase a message',
    description:
      'Erases one message at once and for good; nobody can bring it back. Only when the user asked for exactly that: otherwise GMAIL_MOVE_TO_TRASH.',
    effect: 'destructive',
    scopes: toErase,
    input: z.object({ message_id: messageId, user_id: userId }),
    paramAliases: { id: 'message_id' },
    run: async ({ message_id, user_id }, service) => {
      await service.delete(mailbox(user_id, 'messages', message_id))
      return { deleted: true, id: message_id }
    },
  },

  GMAIL_BATCH_DELETE_MESSAGES: {
    title: 'Erase many messages',
    description:
      'Erases up to 1,000 messages at once and for good; Gmail does not check that the ids exist. Only when the user asked for exactly that: otherwise GMAIL_BATCH_MODIFY_MESSAGES adding TRASH.',
    effect: 'destructive',
    scopes: toErase,
    input: z.object({ messageIds, userId }),
    paramAliases: { message_ids: 'messageIds', ids: 'messageIds', user_id: 'userId' },
    run: async ({ messageIds, userId }, service) => {
      await service.post(mailbox(userId, 'messages', 'batchDelete'), { ids: messageIds })
      return { deleted: messageIds.length }
    },
  },

  GMAIL_DELETE_THREAD: {
    title: 'Erase a conversation',
    description:
      'Erases a whole conversation at once and for good. Only when the user asked for exactly that: otherwise GMAIL_MOVE_THREAD_TO_TRASH.',
    effect: 'destructive',
    scopes: toErase,
    input: z.object({ id: threadId, user_id: userId }),
    paramAliases: { thread_id: 'id' },
    run: async ({ id, user_id }, service) => {
      await service.delete(mailbox(user_id, 'threads', id))
      return { deleted: true, thread_id: id }
    },
  },
})

function moved(message: any) {
  return { id: message.id, thread_id: message.threadId, labels: message.labelIds ?? [] }
}
