import { createClient } from '@patchbay/sdk'

// Once, with an admin key: where the gateway may send your users back to, and a key for your backend.
const admin = createClient({
  baseUrl: process.env['PATCHBAY_URL'] ?? 'http://localhost:8080',
  apiKey: process.env['PATCHBAY_ADMIN_KEY'] ?? '',
})
const { project } = await admin.session.get()
await admin.projects.update(project.id, {
  redirect_urls: [...new Set([...project.redirect_urls, 'http://localhost:3000/*'])],
})
const { secret } = await admin.apiKeys.create({ name: 'My app', role: 'app' })
console.log(secret)
