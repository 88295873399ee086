import type { ScopeInfo } from '../../core/connector.ts'

export const READONLY = 'https://www.googleapis.com/auth/gmail.readonly'
export const SEND = 'https://www.googleapis.com/auth/gmail.send'
export const COMPOSE = 'https://www.googleapis.com/auth/gmail.compose'
export const MODIFY = 'https://www.googleapis.com/auth/gmail.modify'
export const LABELS = 'https://www.googleapis.com/auth/gmail.labels'
export const FULL = 'https://mail.google.com/'

/** https://developers.google.com/workspace/gmail/api/auth/scopes */
export const scopes = {
  [READONLY]: { description: 'Read all mail and settings', effect: 'read' },
  [SEND]: { description: 'Send mail in your name', effect: 'write' },
  [COMPOSE]: { description: 'Write drafts and send mail in your name', effect: 'write', includes: [SEND] },
  [LABELS]: { description: 'See, make, change and delete labels', effect: 'write' },
  [MODIFY]: {
    description: 'Read, write, send, label and bin mail; not delete it for good',
    effect: 'write',
    includes: [READONLY, SEND, COMPOSE, LABELS],
  },
  [FULL]: {
    description: 'Everything in the mailbox, deleting mail for good included',
    effect: 'destructive',
    includes: [MODIFY],
  },
  openid: { description: 'Know which Google account this is', effect: 'read' },
  email: { description: 'See the account’s address', effect: 'read' },
  profile: { description: 'See the account’s name and picture', effect: 'read' },
  // Google grants `email` and `profile` under these names.
  'https://www.googleapis.com/auth/userinfo.email': {
    description: 'See the account’s address',
    effect: 'read',
    includes: ['email'],
  },
  'https://www.googleapis.com/auth/userinfo.profile': {
    description: 'See the account’s name and picture',
    effect: 'read',
    includes: ['profile'],
  },
} as const satisfies Record<string, ScopeInfo>

/** Least access first; a read never asks for a scope that can write. */
export const toRead = [READONLY, MODIFY, FULL] as const
export const toReadDrafts = [READONLY, COMPOSE, MODIFY, FULL] as const
export const toReadLabels = [READONLY, LABELS, MODIFY, FULL] as const
export const toSend = [SEND, COMPOSE, MODIFY, FULL] as const
export const toCompose = [COMPOSE, MODIFY, FULL] as const
/** Answering needs the message answered. */
export const toAnswer = [[READONLY, SEND], [READONLY, COMPOSE], MODIFY, FULL] as const
export const toLabel = [MODIFY, FULL] as const
export const toEditLabels = [LABELS, MODIFY, FULL] as const
export const toErase = [FULL] as const
