import type { ScopeInfo } from '../../core/connector.ts'

/** https://docs.slack.dev/reference/scopes */
export const scopes = {
  'channels:read': { description: 'List public channels and their members', effect: 'read', token: 'bot' },
  'groups:read': { description: 'List private channels the app was added to', effect: 'read', token: 'bot' },
  'im:read': { description: 'List direct messages with the app', effect: 'read', token: 'bot' },
  'mpim:read': { description: 'List group direct messages the app is in', effect: 'read', token: 'bot' },
  'channels:history': { description: 'Read messages in public channels the app is in', effect: 'read', token: 'bot' },
  'groups:history': { description: 'Read messages in private channels the app is in', effect: 'read', token: 'bot' },
  'im:history': { description: 'Read direct messages with the app', effect: 'read', token: 'bot' },
  'mpim:history': { description: 'Read group direct messages the app is in', effect: 'read', token: 'bot' },
  'users:read': { description: 'See the people of the workspace', effect: 'read', token: 'bot' },
  'users:read.email': { description: 'See the email addresses of the people', effect: 'read', token: 'bot' },
  'reactions:read': { description: 'See emoji reactions', effect: 'read', token: 'bot' },
  'pins:read': { description: 'See pinned messages', effect: 'read', token: 'bot' },
  'files:read': { description: 'See files shared where the app is', effect: 'read', token: 'bot' },
  'search:read': { description: 'Search everything you can see in the workspace', effect: 'read', token: 'user' },
  'chat:write': { description: 'Post, edit and delete messages as the app', effect: 'write', token: 'bot' },
  'channels:join': { description: 'Join public channels', effect: 'write', token: 'bot' },
  'channels:manage': { description: 'Create and manage public channels', effect: 'write', token: 'bot' },
  'groups:write': { description: 'Create and manage private channels', effect: 'write', token: 'bot' },
  'im:write': { description: 'Start direct messages', effect: 'write', token: 'bot' },
  'mpim:write': { description: 'Start group direct messages', effect: 'write', token: 'bot' },
  'reactions:write': { description: 'Add and remove emoji reactions', effect: 'write', token: 'bot' },
  'pins:write': { description: 'Pin and unpin messages', effect: 'write', token: 'bot' },
  'files:write': { description: 'Upload, share and delete files as the app', effect: 'write', token: 'bot' },
} as const satisfies Record<string, ScopeInfo>
