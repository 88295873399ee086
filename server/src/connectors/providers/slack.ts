import type { Provider } from '../../core/provider.ts'

/**
 * Slack OAuth v2: one consent gives a bot token (top level of the reply) and, when user scopes were asked for, a
 * user token (under `authed_user`). Both are kept.
 * https://docs.slack.dev/authentication/installing-with-oauth
 */
export const slackProvider: Provider = {
  id: 'slack',
  name: 'Slack',
  issuer: 'https://slack.com',
  authorizeUrl: 'https://slack.com/oauth/v2/authorize',
  tokenUrl: 'https://slack.com/api/oauth.v2.access',
  revoke: {
    method: 'POST',
    url: 'https://slack.com/api/auth.revoke',
    auth: 'bearer',
    token: { in: 'none', name: '' },
    order: ['access'],
    // A workspace has one bot token per app, whoever installs it: ending it ends it for every user of the workspace.
    endsWholeGrant: true,
  },
  clientAuth: 'basic',
  // Switching PKCE on turns a Slack app into a public client for good and caps its refresh tokens at 30 days.
  pkce: 'off',
  scopeSeparator: ',',
  scopeParams: { bot: 'scope', user: 'user_scope' },
  tokenAt: { bot: '$', user: 'authed_user' },
  errorWhen: { path: 'ok', is: 'false', code: 'error' },
  capture: [
    { key: 'team_id', from: 'token', path: 'team.id' },
    { key: 'team_name', from: 'token', path: 'team.name' },
    { key: 'enterprise_id', from: 'token', path: 'enterprise.id' },
    { key: 'bot_user_id', from: 'token', path: 'bot_user_id' },
    { key: 'user_id', from: 'token', path: 'authed_user.id' },
  ],
  // Tokens end only where the app has token rotation on; then each refresh answers a new refresh token.
  refresh: { rotates: true, graceSeconds: 0 },
  errors: {
    invalid_refresh_token: 'user',
    token_revoked: 'user',
    token_expired: 'user',
    account_inactive: 'user',
    user_not_found: 'user',
    team_not_found: 'user',
    invalid_code: 'user',
    code_already_used: 'user',
    invalid_client_id: 'configuration',
    bad_client_secret: 'configuration',
    bad_redirect_uri: 'configuration',
    invalid_scope: 'configuration',
    oauth_authorization_url_mismatch: 'configuration',
    app_not_approved: 'policy',
    org_login_required: 'policy',
    ratelimited: 'transient',
    internal_error: 'transient',
    fatal_error: 'transient',
    service_unavailable: 'transient',
    request_timeout: 'transient',
  },
  setup: {
    url: 'https://api.slack.com/apps',
    steps: [
      'Choose “Create New App”, then “From scratch”, and pick the workspace to develop in.',
      'Under “OAuth & Permissions”, add the redirect address shown here. Slack accepts https addresses only.',
      'Leave “Proof Key for Code Exchange” off: Slack does not let it be switched off again.',
      'Under “Basic Information”, copy Client ID and Client Secret into this form.',
      'For people outside that workspace, switch on public distribution under “Manage Distribution”.',
    ],
  },
}
