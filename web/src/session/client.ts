import { createClient } from '@patchbay/sdk'

/** Every call this page makes goes through here, with the session's cookie. */
export const client = createClient({ baseUrl: '', session: true })
