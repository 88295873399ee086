import type { Provider } from '../../core/provider.ts'

/** GitHub OAuth apps. https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
export const githubProvider: Provider = {
  id: 'github',
  name: 'GitHub',
  issuer: 'https://github.com/login/oauth',
  authorizeUrl: 'https://github.com/login/oauth/authorize',
  tokenUrl: 'https://github.com/login/oauth/access_token',
  revoke: {
    method: 'DELETE',
    // Ends this token alone; the sibling address `/grant` would end every connection of the account.
    url: 'https://api.github.com/applications/{client_id}/token',
    auth: 'client_basic',
    token: { in: 'json', name: 'access_token' },
    order: ['access'],
  },
  clientAuth: 'post',
  pkce: 'S256',
  scopeSeparator: ' ',
  scopeSeparatorInReply: ',',
  // Without it the reply is form-encoded.
  tokenHeaders: { accept: 'application/json' },
  errorWhen: { path: 'error', is: 'present', code: 'error', description: 'error_description' },
  // Tokens end only where the app has expiry on (8 hours, refresh tokens 6 months).
  refresh: { rotates: true, graceSeconds: 0 },
  errors: {
    bad_refresh_token: 'user',
    bad_verification_code: 'user',
    unverified_user_email: 'user',
    incorrect_client_credentials: 'configuration',
    redirect_uri_mismatch: 'configuration',
    application_suspended: 'configuration',
  },
  setup: {
    url: 'https://github.com/settings/applications/new',
    steps: [
      'Register a new OAuth app (Settings → Developer settings → OAuth Apps).',
      'Paste the redirect address shown here into “Authorization callback URL”.',
      'Generate a client secret, then copy Client ID and secret into this form.',
      'Organisations may have to approve the app before it reaches their repositories.',
    ],
  },
}
