import { createEmulator } from 'emulate'

/** The services of the demonstration: published emulators of Google, Slack and GitHub on free loopback ports. */
export interface Emulators {
  /** For SERVICE_URLS: real address → emulated address. */
  serviceUrls: Record<string, string>
  /** Provider id → OAuth app registered there. */
  oauthApps: Record<'google' | 'slack' | 'github', { clientId: string; clientSecret: string }>
  google: { url: string; reset(): unknown }
  slack: { url: string; reset(): unknown }
  github: { url: string; reset(): unknown }
  close(): Promise<void>
}

/** Everybody there is called Ada. Redirect addresses of the gateway at `publicUrl` are registered. */
export async function startEmulators(publicUrl: string): Promise<Emulators> {
  const redirect = (provider: string) => [`${publicUrl}/oauth/callback/${provider}`]
  const app = (provider: string) => ({
    client_id: `patchbay-demo-${provider}`,
    client_secret: `demo-secret-of-${provider}`,
    name: 'Patchbay',
    redirect_uris: redirect(provider),
  })
  const ada = { email: 'ada@example.com', name: 'Ada Lovelace' }
  const seed = {
    google: {
      users: [ada, { email: 'ada@work.example', name: 'Ada at work' }],
      oauth_clients: [app('google')],
      messages: [
        {
          user_email: ada.email,
          from: 'Charles Babbage <charles@example.com>',
          to: ada.email,
          subject: 'The engine runs',
          body_text: 'Dear Ada, the engine turned its first wheel today. Come and see.',
          label_ids: ['INBOX', 'UNREAD'],
        },
      ],
    },
    slack: {
      team: { name: 'Analytical Engines', domain: 'analytical-engines' },
      users: [{ name: 'ada', real_name: ada.name, email: ada.email }],
      channels: [{ name: 'general', topic: 'Everything' }],
      bots: [{ name: 'patchbay' }],
      oauth_apps: [app('slack')],
    },
    github: {
      users: [{ login: 'ada', name: ada.name, email: ada.email }],
      repos: [{ owner: 'ada', name: 'engine', description: 'Notes on the engine', auto_init: true }],
      oauth_apps: [app('github')],
    },
  }
  const [google, slack, github] = await Promise.all([
    createEmulator({ service: 'google', port: 0, seed }),
    createEmulator({ service: 'slack', port: 0, seed }),
    createEmulator({ service: 'github', port: 0, seed }),
  ])
  const secrets = (provider: string) => ({
    clientId: app(provider).client_id,
    clientSecret: app(provider).client_secret,
  })
  return {
    serviceUrls: {
      'https://accounts.google.com': google.url,
      'https://oauth2.googleapis.com': `${google.url}/oauth2`,
      'https://openidconnect.googleapis.com/v1/userinfo': `${google.url}/oauth2/v2/userinfo`,
      'https://gmail.googleapis.com': google.url,
      'https://slack.com': slack.url,
      'https://github.com': github.url,
      'https://api.github.com': github.url,
    },
    oauthApps: { google: secrets('google'), slack: secrets('slack'), github: secrets('github') },
    google,
    slack,
    github,
    async close() {
      await Promise.all([google.close(), slack.close(), github.close()])
    },
  }
}
