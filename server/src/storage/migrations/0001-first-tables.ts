import type { Migration } from './migration.ts'

/** Everything the gateway's core stores. */
export const firstTables: Migration = {
  version: 1,
  name: 'first tables',
  statements: ({ engine, key, text, int, json, tableOptions }) => {
    const inProject = `project_id ${key} not null references project (id) on delete cascade`
    return [
      `create table project (
        id ${key} primary key,
        name ${text} not null,
        redirect_urls ${json} not null,
        created_at ${int} not null
      )${tableOptions}`,

      `create table data_key (
        id ${key} primary key,
        ${inProject},
        wrapped ${text} not null,
        created_at ${int} not null
      )${tableOptions}`,
      'create index data_key_newest on data_key (project_id, created_at)',

      `create table api_key (
        id ${key} primary key,
        ${inProject},
        name ${text} not null,
        role ${text} not null,
        user_id ${key},
        hash ${key} not null unique,
        prefix ${text} not null,
        policy ${json} not null,
        expires_at ${int},
        created_at ${int} not null,
        last_used_at ${int},
        revoked_at ${int}
      )${tableOptions}`,
      'create index api_key_newest on api_key (project_id, created_at)',

      `create table oauth_app (
        id ${key} primary key,
        ${inProject},
        provider_id ${key} not null,
        client_id ${text} not null,
        client_secret ${text},
        created_at ${int} not null,
        updated_at ${int} not null,
        unique (project_id, provider_id)
      )${tableOptions}`,

      `create table connection (
        id ${key} primary key,
        ${inProject},
        user_id ${key} not null,
        connector_id ${key} not null,
        label ${text} not null,
        is_default ${int} not null,
        status ${text} not null,
        status_reason ${json},
        account ${json},
        account_id ${key},
        settings ${json} not null,
        captured ${json} not null,
        scopes ${json} not null,
        credential ${text},
        generation ${int} not null,
        expires_at ${int},
        refresh_after ${int},
        refresh_failures ${int} not null,
        refresh_intent ${text},
        interrupted_intent ${text},
        fence ${int} not null,
        lease_until ${int},
        oauth_app_id ${key},
        created_at ${int} not null,
        updated_at ${int} not null
      )${tableOptions}`,
      'create index connection_of_user on connection (project_id, user_id, connector_id)',
      'create index connection_newest on connection (project_id, created_at, id)',
      'create unique index connection_default on connection (project_id, user_id, connector_id) where is_default = 1',
      // Holds all that the search for due rows compares, so that rows which are not due are never visited.
      "create index connection_due on connection (refresh_after, lease_until) where status in ('active', 'expiring')",
      "create index connection_pending on connection (created_at) where status = 'pending'",
      'create index connection_sharing on connection (project_id, oauth_app_id, account_id)',
      'create index connection_sealed on connection (project_id, id) where credential is not null',

      `create table "authorization" (
        state_hash ${key} primary key,
        ${inProject},
        user_id ${key} not null,
        connector_id ${key} not null,
        provider_id ${key} not null,
        connection_id ${key} not null,
        oauth_app_id ${key} not null,
        actor ${json} not null,
        redirect_url ${text},
        opener_origin ${text},
        redirect_uri ${text} not null,
        code_verifier ${text},
        browser_hash ${key},
        settings ${json} not null,
        scopes ${json} not null,
        allow_other_account ${int} not null,
        start_hash ${key} not null unique,
        created_at ${int} not null,
        expires_at ${int} not null,
        used_at ${int}
      )${tableOptions}`,
      'create index authorization_expiry on "authorization" (expires_at)',
      'create index authorization_project on "authorization" (project_id)',

      `create table connect_link (
        id ${key} primary key,
        hash ${key} not null unique,
        ${inProject},
        user_id ${key} not null,
        connectors ${json} not null,
        redirect_url ${text},
        tools ${json} not null,
        connection_id ${key},
        created_at ${int} not null,
        expires_at ${int} not null,
        browser_hash ${key},
        used_at ${int}
      )${tableOptions}`,
      'create index connect_link_expiry on connect_link (expires_at)',
      'create index connect_link_project on connect_link (project_id)',

      `create table instance (
        id ${key} primary key,
        ${inProject},
        user_id ${key} not null,
        name ${text} not null,
        token_hash ${key} not null,
        token_prefix ${text} not null,
        policy ${json} not null,
        created_at ${int} not null,
        updated_at ${int} not null,
        last_used_at ${int}
      )${tableOptions}`,
      'create index instance_of_user on instance (project_id, user_id, created_at)',

      `create table session (
        hash ${key} primary key,
        api_key_id ${key} not null,
        ${inProject},
        created_at ${int} not null,
        expires_at ${int} not null
      )${tableOptions}`,
      'create index session_expiry on session (expires_at)',
      'create index session_project on session (project_id)',

      // No reference to the project: the log of a project that is going must not stop its last events.
      `create table event (
        id ${key} not null,
        project_id ${key} not null,
        at ${int} not null,
        type ${text} not null,
        outcome ${text} not null,
        actor_type ${text} not null,
        actor_id ${text} not null,
        user_id ${key},
        connector_id ${key},
        connection_id ${key},
        tool ${key},
        code ${text},
        message ${text},
        duration_ms ${int},
        request_id ${key},
        details ${json},
        primary key (project_id, id)
      )${tableOptions}`,
      'create index event_time on event (project_id, at)',
      'create index event_of_user on event (project_id, user_id, id) where user_id is not null',
      'create index event_of_connection on event (project_id, connection_id, id) where connection_id is not null',
      'create index event_of_tool on event (project_id, tool, id) where tool is not null',
      'create index event_of_request on event (project_id, request_id) where request_id is not null',

      // PostgreSQL pushes changes (LISTEN/NOTIFY); SQLite processes read what they missed from here.
      ...(engine === 'sqlite'
        ? ['create table change (seq integer primary key autoincrement, told text not null) strict']
        : []),
    ]
  },
}
