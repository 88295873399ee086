import { z } from 'zod'

/** Either token does; the app's own is preferred, so that what it does shows as the app. */
export const either = ['bot', 'user'] as const

export const channelId = z
  .string()
  .min(1)
  .describe('Channel ID (C…, G… or D…) from SLACK_FIND_CHANNELS or SLACK_OPEN_DM')

export const messageTs = z
  .string()
  .regex(/^\d+\.\d+$/, 'must be a message timestamp such as 1712345678.123456, as text')
  .describe('`ts` of the message, such as 1712345678.123456, exactly as Slack gave it')

export const cursor = z.string().optional().describe('`next_cursor` of the answer before')

const CHANNEL_TYPES = ['public_channel', 'private_channel', 'mpim', 'im']

/** Comma-separated, as Slack and its users write it. */
export const channelTypes = z
  .string()
  .refine(
    (text) => text.split(',').every((type) => CHANNEL_TYPES.includes(type.trim())),
    `must be a comma-separated choice of ${CHANNEL_TYPES.join(', ')}`,
  )
  .describe(
    'Comma-separated: public_channel, private_channel, mpim, im. All but the first need their own permission (groups:read, mpim:read, im:read)',
  )

export const teamId = z.string().optional().describe('Workspace ID; only for organisation-wide tokens')
