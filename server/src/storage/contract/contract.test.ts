import { storageContract } from './contract.ts'
import { postgresPlace, sqlitePlace } from './place.ts'

const serverUrl = process.env['TEST_POSTGRES_URL']

storageContract('storage on SQLite', sqlitePlace)
storageContract(
  'storage on PostgreSQL',
  () => postgresPlace(serverUrl as string),
  serverUrl ? undefined : 'TEST_POSTGRES_URL names no server; `npm run test:services` starts one',
)
