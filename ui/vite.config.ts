// SPDX-License-Identifier: Apache-2.0
// How the page is built. The server replaces __CSP_NONCE__ in index.html by a fresh nonce in every answer; every other file
// is named by its hash. `vite` (npm run dev) passes /api on to a running server: CERTWRIGHT_SERVER=https://127.0.0.1:8443.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
	plugins: [react()],
	html: { cspNonce: '__CSP_NONCE__' },
	build: {
		target: 'es2022',
		cssTarget: ['chrome123', 'firefox120', 'safari17.5'], // light-dark()
		assetsDir: 'assets',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		chunkSizeWarningLimit: 900,
		rolldownOptions: {
			output: {
				entryFileNames: 'assets/[name]-[hash].js',
				chunkFileNames: 'assets/[name]-[hash].js',
				assetFileNames: 'assets/[name]-[hash][extname]',
			},
		},
	},
	server: {
		port: 5173,
		proxy: { '/api': { target: process.env.CERTWRIGHT_SERVER ?? 'http://127.0.0.1:5180', secure: false, changeOrigin: true } },
	},
})
