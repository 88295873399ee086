import type { Account } from '../../core/connection.ts'
import { defineConnector, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { googleFailure, googleProvider } from '../providers/google.ts'
import { accountTools } from './account-tools.ts'
import { draftTools } from './draft-tools.ts'
import { mailbox } from './fields.ts'
import { labelTools } from './label-tools.ts'
import { mailTools } from './mail-tools.ts'
import { scopes } from './scopes.ts'
import { sendTools } from './send-tools.ts'
import { trashTools } from './trash-tools.ts'

/** https://developers.google.com/workspace/gmail/api/reference/rest */
export const gmail = defineConnector({
  id: 'gmail',
  kind: 'api',
  name: 'Gmail',
  description: 'Search, read, write, send and sort the mail of a Google account.',
  category: 'Email',
  provider: googleProvider,
  // The bare host: large messages go below /upload, everything else below /gmail.
  api: 'https://gmail.googleapis.com',
  scopes,
  identityScopes: ['openid', 'email', 'profile'],
  account,
  failure: googleFailure,
  tools: { ...mailTools, ...sendTools, ...draftTools, ...labelTools, ...trashTools, ...accountTools },
})

/**
 * The mailbox's own word on whose it is, for grants without Google's identity scopes. Not every grant may read the
 * profile, and not every stand-in for Gmail has it; the sender addresses name the account too.
 */
async function account(service: Service): Promise<Account> {
  const email = (await profileAddress(service)) ?? (await primaryAddress(service))
  if (!email) throw new PatchbayError('provider_unavailable', 'Gmail did not say which account this is.')
  return { id: email.toLowerCase(), label: email, email }
}

async function profileAddress(service: Service): Promise<string | undefined> {
  try {
    return (await service.get(mailbox('me', 'profile')))?.emailAddress
  } catch (error) {
    if (error instanceof PatchbayError && error.providerStatus === 404) return undefined
    throw error
  }
}

async function primaryAddress(service: Service): Promise<string | undefined> {
  const answer = await service.get(mailbox('me', 'settings', 'sendAs'))
  const addresses: any[] = answer?.sendAs ?? []
  return (addresses.find(({ isPrimary }) => isPrimary) ?? addresses[0])?.sendAsEmail
}
