/** One step of the schema. Once released it is never edited: a later step mends it. */
export interface Migration {
  /** Counts up by one, from 1. */
  version: number
  name: string
  statements(types: ColumnTypes): string[]
}

/** How an engine spells the few things in which the two differ. */
export interface ColumnTypes {
  engine: 'sqlite' | 'postgres'
  /** Ids and other text that is compared and sorted by its bytes. */
  key: string
  text: string
  /** 64 bits: counts, epoch ms, and 0 or 1 for booleans. */
  int: string
  json: string
  /** Ends a CREATE TABLE. */
  tableOptions: string
}

export const SQLITE_TYPES: ColumnTypes = {
  engine: 'sqlite',
  key: 'text',
  text: 'text',
  int: 'integer',
  json: 'text',
  tableOptions: ' strict',
}

/**
 * `json`, not `jsonb`: it keeps the text as it came, also the escapes (\u0000, lone surrogates) that jsonb refuses and
 * that services do send.
 */
export const POSTGRES_TYPES: ColumnTypes = {
  engine: 'postgres',
  key: 'text collate "C"',
  text: 'text',
  int: 'bigint',
  json: 'json',
  tableOptions: '',
}
