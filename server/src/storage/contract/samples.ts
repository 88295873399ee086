import { randomUUID } from 'node:crypto'
import type { Connection } from '../../core/connection.ts'
import type { Event } from '../../core/events.ts'
import { newEventId, newId, secretHash } from '../../core/secrets.ts'
import type { ApiKey, Authorization, ConnectLink, Instance, Project, Storage } from '../../core/storage.ts'

export const AT = Date.UTC(2026, 10, 1)

/** A project stored for one test, so that tests on one database do not meet. */
export async function storedProject(storage: Storage): Promise<string> {
  const project = sampleProject()
  await storage.projects.create(project)
  return project.id
}

export function sampleProject(members: Partial<Project> = {}): Project {
  return {
    id: newId('proj_'),
    name: 'Läden & "Co" 🧭',
    redirectUrls: ['https://app.example.com/done', 'https://x.example/*'],
    createdAt: AT,
    ...members,
  }
}

export function sampleConnection(projectId: string, members: Partial<Connection> = {}): Connection {
  return {
    id: newId('conn_'),
    projectId,
    userId: 'ann',
    connectorId: 'gmail',
    label: 'ann@example.com',
    isDefault: false,
    status: 'active',
    statusReason: null,
    account: { id: 'acc-1', label: 'ann@example.com', email: 'ann@example.com' },
    settings: { host: 'eu.example.com' },
    captured: { team: 'T1', lone: '\ud800 \u0000' },
    scopes: { default: ['mail.read', 'mail.send'] },
    credential: `v1.key.${randomUUID()}`,
    generation: 1,
    expiresAt: AT + 3_600_000,
    refreshAfter: AT + 3_000_000,
    refreshFailures: 0,
    refreshIntent: null,
    fence: 0,
    leaseUntil: null,
    oauthAppId: 'app-1',
    createdAt: AT,
    updatedAt: AT,
    ...members,
  }
}

export function pendingConnection(projectId: string, members: Partial<Connection> = {}): Connection {
  return sampleConnection(projectId, {
    status: 'pending',
    statusReason: { code: 'pending', message: 'Not finished yet.', fix: 'Finish connecting', at: AT },
    account: null,
    credential: null,
    generation: 0,
    expiresAt: null,
    refreshAfter: null,
    ...members,
  })
}

export function sampleEvent(projectId: string, members: Partial<Event> = {}): Event {
  const at = members.at ?? AT
  return {
    id: newEventId(at),
    projectId,
    at,
    type: 'tool.called',
    outcome: 'ok',
    actor: { type: 'api_key', id: 'key-1' },
    userId: 'ann',
    connectorId: 'gmail',
    connectionId: 'conn-1',
    tool: 'GMAIL_SEND_EMAIL',
    code: null,
    message: null,
    durationMs: 12,
    requestId: 'req-1',
    details: { attempt: 1, nested: { list: ['ä', 2, null] } },
    ...members,
  }
}

export function sampleApiKey(projectId: string, members: Partial<ApiKey> = {}): ApiKey {
  return {
    id: newId('key_'),
    projectId,
    name: 'Backend',
    role: 'app',
    userId: null,
    hash: secretHash(randomUUID()),
    prefix: 'pb_app_abc',
    policy: { connectors: ['gmail'], effects: ['read'] },
    expiresAt: null,
    createdAt: AT,
    lastUsedAt: null,
    revokedAt: null,
    ...members,
  }
}

export function sampleAuthorization(projectId: string, members: Partial<Authorization> = {}): Authorization {
  return {
    stateHash: secretHash(randomUUID()),
    projectId,
    userId: 'ann',
    connectorId: 'gmail',
    providerId: 'google',
    connectionId: 'conn-1',
    oauthAppId: 'app-1',
    actor: { type: 'connect_link', id: 'link-1' },
    redirectUrl: 'https://app.example.com/done',
    openerOrigin: null,
    redirectUri: 'http://localhost:8080/oauth/callback/google',
    codeVerifier: 'v1.sealed',
    browserHash: null,
    settings: { host: 'eu' },
    scopes: { default: ['a', 'b'] },
    allowOtherAccount: true,
    startHash: secretHash(randomUUID()),
    createdAt: AT,
    expiresAt: AT + 600_000,
    usedAt: null,
    ...members,
  }
}

export function sampleConnectLink(projectId: string, members: Partial<ConnectLink> = {}): ConnectLink {
  return {
    id: newId('link_'),
    hash: secretHash(randomUUID()),
    projectId,
    userId: 'ann',
    connectors: ['gmail', 'slack'],
    redirectUrl: null,
    tools: ['GMAIL_*'],
    connectionId: null,
    createdAt: AT,
    expiresAt: AT + 600_000,
    browserHash: null,
    usedAt: null,
    ...members,
  }
}

export function sampleInstance(projectId: string, members: Partial<Instance> = {}): Instance {
  return {
    id: newId('inst_'),
    projectId,
    userId: 'ann',
    name: 'Laptop',
    tokenHash: secretHash(randomUUID()),
    tokenPrefix: 'pb_inst_abc',
    policy: { tools: ['GMAIL_*'] },
    createdAt: AT,
    updatedAt: AT,
    lastUsedAt: null,
    ...members,
  }
}

export async function eventsOf(storage: Storage, projectId: string): Promise<string[]> {
  return (await storage.events.list(projectId, { limit: 100 })).map((event) => event.id)
}
