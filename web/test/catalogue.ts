import type { ConnectorDetail, Effect, JsonSchema, ToolSummary } from '@patchbay/sdk'

/** What the stand-in offers: enough of each kind to see every state of the pages. */
export const CATALOGUE: ConnectorDetail[] = [
  connector('gmail', 'Gmail', 'google', 'Email', 'Search, read, write and send mail.', {
    scopes: [
      scope('gmail.readonly', 'Read all mail and settings', 'read'),
      scope('gmail.send', 'Send mail', 'write'),
      scope('gmail.modify', 'Read, write and move mail, except deleting it for good', 'write'),
      scope('userinfo.email', 'See the email address of the account', 'read'),
    ],
    tools: [
      tool('GMAIL_FETCH_EMAILS', 'Find emails', 'read', ['gmail.readonly'], {
        query: text('Gmail search words, such as from:ann newer_than:7d'),
        max_results: { type: 'integer', minimum: 1, maximum: 100, default: 10, description: 'At most this many' },
        label_ids: { type: 'array', items: { type: 'string' }, description: 'Only mail with all of these labels' },
        include_spam_trash: { type: 'boolean', default: false, description: 'Also look in spam and trash' },
        format: { type: 'string', enum: ['full', 'metadata'], default: 'full', description: 'How much of each mail' },
        page_token: text('From the page before'),
      }),
      tool('GMAIL_GET_PROFILE', 'Get the profile', 'read', ['gmail.readonly'], {}),
      tool(
        'GMAIL_SEND_EMAIL',
        'Send an email',
        'write',
        ['gmail.send'],
        {
          recipient_email: { type: 'string', format: 'email', description: 'Who gets it' },
          subject: text('Subject line'),
          body: text('Text of the message'),
          cc: { type: 'array', items: { type: 'string' }, description: 'Addresses for Cc' },
          is_html: { type: 'boolean', default: false, description: 'The body is HTML' },
          attachment: {
            type: 'object',
            description: 'A file to attach',
            properties: { name: text('File name'), content: text('Bytes in base64') },
            required: ['name', 'content'],
          },
        },
        ['recipient_email', 'body'],
      ),
      tool(
        'GMAIL_MOVE_TO_TRASH',
        'Move to trash',
        'destructive',
        ['gmail.modify'],
        { message_id: text('Which mail') },
        ['message_id'],
      ),
    ],
  }),
  connector('slack', 'Slack', 'slack', 'Messaging', 'Read channels, post and answer messages.', {
    scopes: [
      scope('channels:history', 'Read messages in public channels', 'read'),
      scope('chat:write', 'Post messages as the app', 'write'),
    ],
    tools: [
      tool('SLACK_LIST_CHANNELS', 'List channels', 'read', ['channels:history'], { limit: { type: 'integer' } }),
      tool(
        'SLACK_SEND_MESSAGE',
        'Send a message',
        'write',
        ['chat:write'],
        { channel: text('Channel'), text: text('Text') },
        ['channel', 'text'],
      ),
    ],
  }),
  connector('github', 'GitHub', 'github', 'Developer tools', 'Repositories, issues, reviews and files.', {
    scopes: [scope('repo', 'Read and write code, issues and reviews in all repositories', 'write')],
    tools: [
      tool('GITHUB_LIST_ISSUES', 'List issues', 'read', ['repo'], { owner: text('Owner'), repo: text('Repository') }, [
        'owner',
        'repo',
      ]),
      tool(
        'GITHUB_CREATE_AN_ISSUE',
        'Open an issue',
        'write',
        ['repo'],
        { owner: text('Owner'), repo: text('Repository'), title: text('Title'), body: text('Text') },
        ['owner', 'repo', 'title'],
      ),
    ],
  }),
  connector('google-calendar', 'Google Calendar', 'google', 'Calendar', 'See and plan events.', {
    tools: [tool('CALENDAR_LIST_EVENTS', 'List events', 'read', [], {})],
  }),
  connector('linear', 'Linear', 'linear', 'Project management', 'Issues, projects and cycles of a team.', {
    configured: false,
    tools: [tool('LINEAR_LIST_ISSUES', 'List issues', 'read', [], {})],
  }),
  connector('notion', 'Notion', 'notion', 'Documents', 'Pages and databases of a workspace.', {
    configured: false,
    tools: [tool('NOTION_SEARCH', 'Search pages', 'read', [], {})],
  }),
]

interface Rest {
  configured?: boolean
  scopes?: ConnectorDetail['scopes']
  tools: ToolSummary[]
}

function connector(
  id: string,
  name: string,
  provider: string,
  category: string,
  description: string,
  rest: Rest,
): ConnectorDetail {
  return {
    id,
    kind: 'api',
    name,
    description,
    category,
    provider,
    tools_count: rest.tools.length,
    configured: rest.configured ?? true,
    form: { type: 'object', properties: {} },
    scopes: rest.scopes ?? [],
    tools: rest.tools,
    setup: {
      url: `https://${provider}.example.com/apps`,
      steps: [
        'Create an app of type "Web application".',
        'Add the redirect address below.',
        'Copy the client id and secret.',
      ],
      redirect_uri: `http://localhost/oauth/callback/${provider}`,
    },
  }
}

function scope(name: string, description: string, effect: Effect) {
  return { name, description, effect }
}

function tool(
  name: string,
  title: string,
  effect: Effect,
  scopes: string[],
  properties: Record<string, JsonSchema>,
  required: string[] = [],
): ToolSummary {
  const description = `${title}. Use it when the user asks for exactly that; the answer holds ids that other tools take.`
  return { name, title, description, effect, scopes, parameters: { type: 'object', properties, required } }
}

function text(description: string): JsonSchema {
  return { type: 'string', description }
}
