// SPDX-License-Identifier: Apache-2.0
// licences.mjs - the notices of everything that is in the built page, into dist/third-party.txt.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const lock = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8'))
const parts = ['Parts of the Certwright page made by others, with their licences.\n']

for (const [path, entry] of Object.entries(lock.packages).sort()) {
	if (!path || entry.dev || entry.optional || !existsSync(join(top, path))) continue
	const name = path.replace(/^.*node_modules\//, '')
	const file = readdirSync(join(top, path)).find((f) => /^(licen[cs]e|copying)/i.test(f))
	const text = file ? readFileSync(join(top, path, file), 'utf8').trim() : `Licence: ${entry.license ?? 'see the package'}`
	parts.push(`${'-'.repeat(78)}\n${name} ${entry.version} (${entry.license ?? 'see below'})\n\n${text}\n`)
}
writeFileSync(join(top, 'dist', 'third-party.txt'), parts.join('\n'))
