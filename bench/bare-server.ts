import Fastify from 'fastify'

/** The least a server of this kind can be: what the gateway's start and memory are held against. */
const app = Fastify()
app.get('/health', async () => ({ status: 'ok' }))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
