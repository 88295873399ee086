import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { call, list } from './call.ts'
import { channelId, either, messageTs } from './fields.ts'
import { scopes } from './scopes.ts'
import { file, message, reaction } from './shapes.ts'

const emoji = z
  .string()
  .min(1)
  .describe('Emoji name such as thumbsup (colons are ignored); skin tones as thumbsup::skin-tone-2')

const aliases = { channel_id: 'channel', ts: 'timestamp', message_ts: 'timestamp' } as const

export const reactionTools = defineTools(scopes, {
  SLACK_ADD_REACTION_TO_AN_ITEM: {
    title: 'React to a message',
    description: 'Adds an emoji reaction to a message, by its channel ID and `ts`.',
    effect: 'write',
    scopes: ['reactions:write'],
    tokens: either,
    paramAliases: { ...aliases, emoji: 'name' },
    input: z.object({ channel: channelId, timestamp: messageTs, name: emoji }),
    run: async ({ name, ...item }, service) => {
      await call(service, 'reactions.add', { ...item, name: bare(name) })
      return { ...item, name: bare(name), added: true }
    },
  },

  SLACK_REMOVE_REACTION_FROM_ITEM: {
    title: 'Take a reaction back',
    description: 'Removes a reaction this app added to a message.',
    effect: 'write',
    scopes: ['reactions:write'],
    tokens: either,
    paramAliases: { ...aliases, emoji: 'name' },
    input: z.object({ channel: channelId, timestamp: messageTs, name: emoji }),
    run: async ({ name, ...item }, service) => {
      await call(service, 'reactions.remove', { ...item, name: bare(name) })
      return { ...item, name: bare(name), removed: true }
    },
  },

  SLACK_FETCH_ITEM_REACTIONS: {
    title: 'List reactions on a message',
    description: 'Lists the emoji reactions on one message, with who gave each.',
    effect: 'read',
    scopes: ['reactions:read'],
    tokens: either,
    paramAliases: aliases,
    input: z.object({
      channel: channelId,
      timestamp: messageTs,
      full: z.boolean().default(true).describe('List everybody who reacted'),
    }),
    run: async (input, service) => {
      const answer = await call(service, 'reactions.get', input)
      return {
        channel: input.channel,
        timestamp: input.timestamp,
        reactions: list(answer.message?.reactions).map(reaction),
      }
    },
  },

  SLACK_PIN_ITEM: {
    title: 'Pin a message',
    description: 'Pins a message to its channel, by `ts`.',
    effect: 'write',
    scopes: ['pins:write'],
    tokens: either,
    aliases: ['SLACK_PINS_AN_ITEM_TO_A_CHANNEL'],
    paramAliases: aliases,
    input: z.object({ channel: channelId, timestamp: messageTs }),
    run: async (input, service) => {
      await call(service, 'pins.add', input)
      return { ...input, pinned: true }
    },
  },

  SLACK_UNPIN_ITEM: {
    title: 'Unpin a message',
    description: 'Removes the pin of a message; the message stays.',
    effect: 'write',
    scopes: ['pins:write'],
    tokens: either,
    aliases: ['SLACK_UNPIN_ITEM_FROM_CHANNEL'],
    paramAliases: aliases,
    input: z.object({ channel: channelId, timestamp: messageTs }),
    run: async (input, service) => {
      await call(service, 'pins.remove', input)
      return { ...input, pinned: false }
    },
  },

  SLACK_LIST_PINNED_ITEMS: {
    title: 'List pinned messages',
    description: 'Lists what is pinned in a channel (at most 100 items; Slack allows no more).',
    effect: 'read',
    scopes: ['pins:read'],
    tokens: either,
    aliases: ['SLACK_LISTS_PINNED_ITEMS_IN_A_CHANNEL'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId }),
    run: async (input, service) => {
      const answer = await call(service, 'pins.list', input)
      return {
        items: list(answer.items).map((item) => ({
          type: item?.type,
          ...(item?.created !== undefined && { pinned_at: item.created }),
          ...(item?.created_by && { pinned_by: item.created_by }),
          ...(item?.message && { message: message(item.message) }),
          ...(item?.file && { file: file(item.file) }),
        })),
      }
    },
  },
})

function bare(name: string): string {
  return name.replace(/^:+|:+$/g, '')
}
