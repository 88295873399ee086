import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { each } from './each.ts'
import { labelId, labelIds, mailbox, messageId, messageIds, threadId, userId } from './fields.ts'
import { scopes, toEditLabels, toLabel, toReadLabels } from './scopes.ts'

const name = z.string().trim().min(1).max(225).describe('Name; "Work/Invoices" nests it under Work')
const color = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #16a766')
const textColor = color.describe('One of Gmail’s own text colours, such as #ffffff; needs a background colour')
const backgroundColor = color.describe('One of Gmail’s own label colours, such as #16a766; needs a text colour')
const listVisibility = z
  .enum(['labelShow', 'labelShowIfUnread', 'labelHide'])
  .describe('In the list of labels at the side')
const messageVisibility = z.enum(['show', 'hide']).describe('On messages in the message list')

const both = (add: unknown[] | undefined, remove: unknown[] | undefined) =>
  (add?.length ?? 0) + (remove?.length ?? 0) > 0
const NOTHING_TO_DO = 'give labels to add, labels to remove, or both'

export const labelTools = defineTools(scopes, {
  GMAIL_LIST_LABELS: {
    title: 'List labels',
    description:
      'Lists system and own labels with their ids. Call it before any tool that takes label ids. `include_details` adds message and unread counts.',
    effect: 'read',
    idempotent: true,
    scopes: toReadLabels,
    input: z.object({
      include_details: z.boolean().default(false).describe('Add counts; one more request per label'),
      user_id: userId,
    }),
    run: listLabels,
  },

  GMAIL_GET_LABEL: {
    title: 'Read a label',
    description:
      'Answers one label with its counts of messages and conversations, unread ones apart. INBOX counts the inbox.',
    effect: 'read',
    idempotent: true,
    scopes: toReadLabels,
    input: z.object({ id: labelId, user_id: userId }),
    paramAliases: { label_id: 'id' },
    run: 'GET /gmail/v1/users/{user_id}/labels/{id}',
    shape: label,
  },

  GMAIL_CREATE_LABEL: {
    title: 'Create a label',
    description:
      'Makes a label and answers its id. A name that exists already is refused: find it with GMAIL_LIST_LABELS.',
    effect: 'write',
    scopes: toEditLabels,
    input: z
      .object({
        label_name: name,
        text_color: textColor.optional(),
        background_color: backgroundColor.optional(),
        label_list_visibility: listVisibility.default('labelShow'),
        message_list_visibility: messageVisibility.default('show'),
        user_id: userId,
      })
      .refine((given) => !given.text_color === !given.background_color, {
        path: ['background_color'],
        message: 'text_color and background_color must be given together',
      }),
    paramAliases: { name: 'label_name' },
    run: async (input, service) =>
      label(
        await service.post(mailbox(input.user_id, 'labels'), {
          name: input.label_name,
          labelListVisibility: input.label_list_visibility,
          messageListVisibility: input.message_list_visibility,
          ...(input.text_color && {
            color: { textColor: input.text_color, backgroundColor: input.background_color },
          }),
        }),
      ),
  },

  GMAIL_PATCH_LABEL: {
    title: 'Change a label',
    description:
      'Renames a label, recolours it or changes where it shows. What is left out stays. System labels cannot change.',
    effect: 'write',
    idempotent: true,
    scopes: toEditLabels,
    input: z
      .object({
        id: labelId,
        name: name.optional(),
        color: z.object({ textColor, backgroundColor }).optional().describe('Both colours together'),
        labelListVisibility: listVisibility.optional(),
        messageListVisibility: messageVisibility.optional(),
        userId,
      })
      .refine((given) => given.name ?? given.color ?? given.labelListVisibility ?? given.messageListVisibility, {
        path: ['name'],
        message: 'give at least one thing to change: name, color, labelListVisibility or messageListVisibility',
      }),
    paramAliases: {
      label_id: 'id',
      label_name: 'name',
      user_id: 'userId',
      label_list_visibility: 'labelListVisibility',
      message_list_visibility: 'messageListVisibility',
    },
    run: async ({ id, userId, ...changes }, service) =>
      label(await service.patch(mailbox(userId, 'labels', id), changes)),
  },

  GMAIL_DELETE_LABEL: {
    title: 'Delete a label',
    description:
      'Deletes an own label for good and takes it off every message. The messages stay. System labels cannot go.',
    effect: 'destructive',
    scopes: toEditLabels,
    input: z.object({ label_id: labelId, user_id: userId }),
    aliases: ['GMAIL_REMOVE_LABEL'],
    paramAliases: { id: 'label_id' },
    run: async ({ label_id, user_id }, service) => {
      await service.delete(mailbox(user_id, 'labels', label_id))
      return { deleted: true, label_id }
    },
  },

  GMAIL_ADD_LABEL_TO_EMAIL: {
    title: 'Label a message',
    description:
      'Adds and removes labels on one message. Removing INBOX archives it, removing UNREAD marks it read, adding STARRED stars it. Answers its labels afterwards. For many messages: GMAIL_BATCH_MODIFY_MESSAGES.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z
      .object({
        message_id: messageId,
        add_label_ids: labelIds.default([]),
        remove_label_ids: labelIds.default([]),
        user_id: userId,
      })
      .refine((given) => both(given.add_label_ids, given.remove_label_ids), {
        path: ['add_label_ids'],
        message: NOTHING_TO_DO,
      }),
    run: async (input, service) => {
      const message = await service.post(mailbox(input.user_id, 'messages', input.message_id, 'modify'), {
        addLabelIds: input.add_label_ids,
        removeLabelIds: input.remove_label_ids,
      })
      return { id: message.id, thread_id: message.threadId, labels: message.labelIds ?? [] }
    },
  },

  GMAIL_BATCH_MODIFY_MESSAGES: {
    title: 'Label many messages',
    description:
      'Adds and removes labels on up to 1,000 messages at once: archive (remove INBOX), mark read (remove UNREAD). Gmail passes over ids it does not know without saying so.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z
      .object({
        messageIds,
        addLabelIds: labelIds.optional(),
        removeLabelIds: labelIds.optional(),
        userId,
      })
      .refine((given) => both(given.addLabelIds, given.removeLabelIds), {
        path: ['addLabelIds'],
        message: NOTHING_TO_DO,
      }),
    paramAliases: {
      message_ids: 'messageIds',
      ids: 'messageIds',
      add_label_ids: 'addLabelIds',
      remove_label_ids: 'removeLabelIds',
      user_id: 'userId',
    },
    run: async ({ messageIds, addLabelIds, removeLabelIds, userId }, service) => {
      await service.post(mailbox(userId, 'messages', 'batchModify'), {
        ids: messageIds,
        ...(addLabelIds && { addLabelIds }),
        ...(removeLabelIds && { removeLabelIds }),
      })
      return { modified: messageIds.length }
    },
  },

  GMAIL_MODIFY_THREAD_LABELS: {
    title: 'Label a conversation',
    description:
      'Adds and removes labels on every message of a conversation. Removing INBOX archives it, removing UNREAD marks it read.',
    effect: 'write',
    idempotent: true,
    scopes: toLabel,
    input: z
      .object({
        thread_id: threadId,
        add_label_ids: labelIds.optional(),
        remove_label_ids: labelIds.optional(),
        user_id: userId,
      })
      .refine((given) => both(given.add_label_ids, given.remove_label_ids), {
        path: ['add_label_ids'],
        message: NOTHING_TO_DO,
      }),
    run: async (input, service) => {
      const thread = await service.post(mailbox(input.user_id, 'threads', input.thread_id, 'modify'), {
        ...(input.add_label_ids && { addLabelIds: input.add_label_ids }),
        ...(input.remove_label_ids && { removeLabelIds: input.remove_label_ids }),
      })
      return { thread_id: thread?.id ?? input.thread_id, messages: thread?.messages?.length }
    },
  },
})

async function listLabels(
  { include_details, user_id }: { include_details: boolean; user_id: string },
  service: Service,
) {
  const answer = await service.get(mailbox(user_id, 'labels'))
  const listed: any[] = answer?.labels ?? []
  if (!include_details) return { labels: listed.map(({ id, name, type }) => ({ id, name, type })) }
  const ids = listed.map(({ id }) => String(id))
  return { labels: await each(service, ids, async (id) => label(await service.get(mailbox(user_id, 'labels', id)))) }
}

function label(found: any) {
  return {
    id: found.id,
    name: found.name,
    type: found.type,
    messages_total: found.messagesTotal,
    messages_unread: found.messagesUnread,
    threads_total: found.threadsTotal,
    threads_unread: found.threadsUnread,
    label_list_visibility: found.labelListVisibility,
    message_list_visibility: found.messageListVisibility,
    color: found.color,
  }
}
