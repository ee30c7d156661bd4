// SPDX-License-Identifier: Apache-2.0
// live-fields.mjs - part of live-safe.mjs: hostile text in every text of every body that the server's own description has. Which fields
// there are nobody keeps by hand; a new one is tried the day it stands in the contract.
import assert from 'node:assert/strict'
import { bodies, least } from './contract.mjs'
import { PAYLOADS } from './payloads.mjs'

/** A refusal is an answer; what is none is a server that broke. */
const ANSWERS = [200, 201, 202, 204, 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429]
const TRIES = 3

/** Signing in is slowed down after some failures, and the tests after this one sign in. */
const tries = (path) => (/^\/(session|setup|password)$/.test(path) ? 1 : TRIES)

/** Puts a value where the keys lead, into a copy. */
function put(body, [key, ...rest], value) {
	const copy = Array.isArray(body) ? [...body] : { ...body }
	copy[key] = rest.length ? put(copy[key] ?? (rest[0] === 0 ? [] : {}), rest, value) : value
	return copy
}

/** Sends them, and says which fields took one: {'POST /users /name': 3}. What exists is named by the newest of its list. */
export async function everyField(ask, { directory }) {
	const newest = async (path) => (await ask('GET', `${path}?limit=1`)).body?.items?.[0]
	const [account, csr, certificate] = [await newest('/accounts'), await newest('/csrs'), await newest('/certificates')]
	/* Values of names that a schema does not give away, and what a body needs besides what is required of it. */
	const values = { name: 'hostile', names: ['xss.bank.test'], account_id: account.id, certificate_ids: [certificate.id], pem: csr.pem, kind: 'powerdns', suffix: 'xss.bank.test', method: 'manual', password: 'correct horse battery staple', cron: '0 2 * * sat', minutes: 60, text: 'xss.bank.test', email: 'xss@bank.test', fields: { url: 'https://pdns.bank.test:8443', api_key: 'x', server: 'localhost' } }
	const besides = {
		'POST /accounts': { vendor: 'custom', directory_url: directory, email: 'xss@bank.test', agree_tos: true },
		'POST /orders': { names: ['xss.bank.test'], dns: 'delegation' },
		'POST /orders/preview': { names: ['xss.bank.test'] },
		'POST /channels': { kind: 'webhook', enabled: false, settings: { url: 'https://hooks.bank.test/x' } },
		'POST /views': { kind: 'servers', servers: ['127.0.0.1:1'] },
		'POST /view-rules': { wait_s: 60 },
		'POST /tokens': { role: 'viewer' },
		'POST /certificate-actions': { action: 'set-owner', owner: 'somebody' },
		'PUT /renewal-pause': { stopped: true, reason: 'a test' },
	}
	const took = {}
	let turn = 0
	for (const { method, path, schema, texts } of [...bodies].sort((a, b) => (a.method < b.method ? 1 : -1))) {
		const whole = { ...least(schema, values), ...besides[`${method} ${path}`] }
		for (const { keys, longest } of texts) {
			const field = `${method} ${path} /${keys.join('/')}`
			took[field] = 0
			for (let n = 0; n < tries(path); n++) {
				const text = PAYLOADS[(turn += 7) % PAYLOADS.length].slice(0, longest)
				const parent = path.split('/{')[0]
				const one = path.includes('{') ? ((await newest(parent)) ?? { id: '01KB0000000000000000000000' }) : null
				const to = one ? path.replace(/\{[^}]+\}/, one.id ?? one.key) : path
				const match = method === 'PATCH' ? { 'If-Match': (await ask('GET', to)).etag ?? '*' } : {}
				const a = await ask(method, to, put(whole, keys, text), match)
				assert.ok(ANSWERS.includes(a.status), `${field} = ${JSON.stringify(text)}: ${a.status} ${JSON.stringify(a.body)}`)
				if (a.status < 300) took[field]++
			}
		}
	}
	assert.equal((await ask('PUT', '/renewal-pause', { stopped: false })).status, 200)
	return took
}
