import { z } from 'zod'
import { defineConnector, defineTools, type Service } from '../../server/src/core/connector.ts'
import type { Provider } from '../../server/src/core/provider.ts'

/** Okta's OAuth for its own APIs: every organisation has an address of its own. https://developer.okta.com/docs/guides/implement-oauth-for-okta/main/ */
const okta: Provider = {
  id: 'okta',
  name: 'Okta',
  issuer: null,
  authorizeUrl: 'https://{domain}/oauth2/v1/authorize',
  tokenUrl: 'https://{domain}/oauth2/v1/token',
  revoke: {
    method: 'POST',
    url: 'https://{domain}/oauth2/v1/revoke',
    auth: 'client_basic',
    token: { in: 'form', name: 'token' },
    order: ['refresh', 'access'],
  },
  clientAuth: 'basic',
  pkce: 'S256',
  connectionParams: [
    {
      key: 'domain',
      label: 'Okta domain',
      required: true,
      pattern: '[a-z0-9-]+\\.(okta|oktapreview|okta-emea)\\.com',
      help: 'the host you sign in at, such as acme.okta.com',
    },
  ],
  refresh: { rotates: true, graceSeconds: 0 },
  setup: {
    url: 'https://developer.okta.com/docs/guides/implement-oauth-for-okta/main/',
    steps: [
      'In the Admin Console, create an app integration: OIDC, Web Application, with the refresh token grant.',
      'Paste the redirect address shown here into “Sign-in redirect URIs”.',
      'Under “Okta API Scopes”, grant okta.users.read and what else you want to allow.',
      'Copy Client ID and secret into this form.',
    ],
  },
}

const scopes = {
  openid: { description: 'Know who you are', effect: 'read' },
  profile: { description: 'See your name', effect: 'read' },
  offline_access: { description: 'Stay connected until you disconnect', effect: 'read' },
  'okta.users.read': { description: 'See the people of the organisation', effect: 'read' },
  'okta.users.manage': {
    description: 'Change and suspend people',
    effect: 'destructive',
    includes: ['okta.users.read'],
  },
} as const

export const directory = defineConnector({
  id: 'okta',
  kind: 'api',
  name: 'Okta',
  description: 'Look up people and groups of an Okta organisation, and suspend accounts.',
  category: 'identity',
  provider: okta,
  api: 'https://{domain}',
  scopes,
  identityScopes: ['openid', 'profile', 'offline_access', 'okta.users.read'],
  account,
  failure: (body) => (body?.errorCode ? { code: body.errorCode, message: body.errorSummary } : undefined),
  tools: defineTools(scopes, {
    OKTA_FIND_PEOPLE: {
      title: 'Find people',
      description:
        'Finds people whose first name, last name or email address starts with the given text. Answers id, name, email and status of each; the id feeds OKTA_GET_PERSON.',
      effect: 'read',
      scopes: ['okta.users.read'],
      input: z.object({
        q: z.string().min(1).describe('Start of a first name, last name or email address'),
        limit: z.number().int().min(1).max(200).default(20).describe('Most people to answer'),
      }),
      run: 'GET /api/v1/users',
      shape: (people) => ({ people: people.map(person) }),
    },
    OKTA_GET_PERSON: {
      title: 'Get a person with their groups',
      description: 'Answers one person and the names of the groups they are in.',
      effect: 'read',
      scopes: ['okta.users.read'],
      input: z.object({ user: z.string().min(1).describe('Id or login, as OKTA_FIND_PEOPLE answers it') }),
      run: async ({ user }, service) => {
        const path = `/api/v1/users/${encodeURIComponent(user)}` as const
        const [found, groups] = await Promise.all([service.get(path), service.get(`${path}/groups`)])
        return { ...person(found), groups: groups.map((group: any) => group.profile.name) }
      },
    },
    OKTA_SUSPEND_PERSON: {
      title: 'Suspend a person',
      description: 'Suspends an account: its owner can no longer sign in until an administrator lifts it.',
      effect: 'destructive',
      scopes: ['okta.users.manage'],
      input: z.object({ user: z.string().min(1).describe('Id, as OKTA_FIND_PEOPLE answers it') }),
      run: 'POST /api/v1/users/{user}/lifecycle/suspend',
      shape: () => ({ suspended: true }),
    },
  }),
})

async function account(service: Service) {
  const me = await service.get('/oauth2/v1/userinfo')
  return { id: String(me.sub), label: String(me.preferred_username ?? me.name ?? me.sub) }
}

function person(user: any) {
  const { login, email, firstName, lastName } = user.profile
  return { id: user.id, login, email, name: `${firstName} ${lastName}`, status: user.status }
}
