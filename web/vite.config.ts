import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The gateway that `npm run dev` talks to. */
const GATEWAY = 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // Nothing as a data: address, so that the pages work under `font-src 'self'; img-src 'self'`.
  build: { assetsInlineLimit: 0, target: 'es2023', modulePreload: { polyfill: false } },
  server: { proxy: { '/api': GATEWAY, '/connectors': GATEWAY, '/oauth': GATEWAY, '/health': GATEWAY } },
})
