// SPDX-License-Identifier: Apache-2.0
// mock.mjs - the server's API as far as the page sees it, from memory, with the built page and its content policy. For tests of
// the page alone (every state at will, without a CA) and for working on it: node tests/browser/mock.mjs [PORT] [--empty].
import { refusal } from './contract.mjs'
import { makeExternalDns } from './mock-dns.mjs'
import { narrowed } from './mock-list.mjs'
import { makeChannels } from './mock-notify.mjs'
import { makeStatusPage } from './mock-status.mjs'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { randomBytes } from 'node:crypto'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(fileURLToPath(import.meta.url), '../../../ui/dist')
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain' }
const DAY = 86_400_000
const VIEWS = ['01KB0000000000000000000001', '01KB0000000000000000000002']

let clock = 0
export const ulid = () => `01KB${(++clock).toString(36).toUpperCase().padStart(6, '0')}${randomBytes(10).toString('hex').toUpperCase().slice(0, 16)}`
const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export const HOSTILE = `<img src=x onerror="window.pwned=1">"'\`\u2028</script><script>window.pwned=1</script>`
const PEM = `-----BEGIN CERTIFICATE-----\n${Array.from({ length: 12 }, (_, i) => `MIIDdzCCAl+gAwIBAgIE${String(i).padStart(2, '0')}AgAnANBgkqhkiG9w0BAQsFADBsMRAwDgYDVQQGEwdVbmtu`).join('\n')}\n-----END CERTIFICATE-----\n`
const CSR = `-----BEGIN CERTIFICATE REQUEST-----\n${Array.from({ length: 8 }, (_, i) => `MIICijCCAXICAQAwRTELMAkGA1UE${String(i).padStart(2, '0')}hMCVVMxEzARBgNVBAgMClNvbWUtU3RhdGUx`).join('\n')}\n-----END CERTIFICATE REQUEST-----\n`

const FIRST_PORT = 7000
const PORTS = 3000 // above them are those of tests/fake/ports.py
const reading = (directory_url, more = {}) => ({ directory_url, facts: { tos_url: 'https://letsencrypt.org/documents/LE-SA-v1.6.pdf', website: null, eab_required: false, caa_identities: ['letsencrypt.org'], profiles: [{ name: 'classic', description: null }, { name: 'shortlived', description: null }], new_nonce: 'https://ca.example/n', new_account: 'https://ca.example/a', new_order: 'https://ca.example/o', revoke_cert: null, key_change: 'https://ca.example/k', renewal_info: null }, facts_at: iso(Date.now() - 2 * DAY), moved: [], moved_at: null, checked_at: iso(Date.now() - 2 * DAY), reason: null, ...more })
const LE = 'https://acme-v02.api.letsencrypt.org/directory'
const QUIRK_MANY = { name: 'many-accounts', help: 'Several accounts share one URL, one for each external key: give them names.' }
const VENDORS = [
	['letsencrypt', "Let's Encrypt", LE, { ari: 'yes', key_types: ['rsa2048', 'rsa3072', 'rsa4096', 'p256', 'p384'], lifetime: '90 days; 64 days from 10 February 2027, 45 days from 16 February 2028', limits: 'New orders 300 per account and 3 hours; 50 certificates per registered domain and 7 days; 5 for the same set of names and 7 days.', profiles: [{ name: 'classic', names_max: 100, addresses: false, note: 'the default' }, { name: 'tlsserver', names_max: 25, addresses: false, note: '45 days, no common name' }], quirks: [{ name: 'contact-dropped', help: 'It keeps no e-mail addresses; the one given here is for your own reference.' }], terms_url: 'https://letsencrypt.org/repository/', docs_url: 'https://letsencrypt.org/docs/', reading: reading(LE, { moved: ["profile 'tlsclient' is gone"], moved_at: iso(Date.now() - 9 * DAY) }) }],
	['letsencrypt-staging', "Let's Encrypt Staging", 'https://acme-staging-v02.api.letsencrypt.org/directory', { staging: true }],
	['zerossl', 'ZeroSSL', 'https://acme.zerossl.com/v2/DV90', { eab_required: true, eab_fetch: true, contact_required: true, eab_steps: ['Sign in at app.zerossl.com and open Developer.', 'Under "EAB Credentials for ACME Clients" choose Generate.', 'Copy "EAB KID" and "EAB HMAC Key" before you leave the page.'], eab_life: 'Treat a pair as good for one account.', eab_help: 'ZeroSSL dashboard, Developer, EAB Credentials' }],
	['buypass', 'Buypass', 'https://api.buypass.com/acme/directory', { contact_required: true, discontinued: 'Buypass ended its ACME service: no new accounts since 15 September 2025, no certificates since 31 October 2025', discontinued_since: '2025-10-31' }],
	['sslcom-ecc', 'SSL.com ECC', 'https://acme.ssl.com/sslcom-dv-ecc', { eab_required: true, contact_required: true, costs_money: true, price: 'With funds in the account each order is charged.', eab_steps: ['Sign in at secure.ssl.com and open Dashboard.', 'Under Developers and Integrations choose "API and ACME Credentials".', '"Account/ACME Key" is the key identifier, "HMAC Key" the HMAC key.'], eab_life: 'They stay valid until you remove them.', eab_help: 'SSL.com portal, Dashboard, Developers and Integrations, API and ACME Credentials: Account/ACME Key and HMAC Key' }],
	['google', 'Google Trust Services', 'https://dv.acme-v02.api.pki.goog/directory', { eab_required: true, eab_steps: ['Run: gcloud publicca external-account-keys create', '"keyId" is the key identifier, "b64MacKey" the HMAC key.'], eab_life: 'Each pair registers one account and has to be used within 7 days.', eab_help: 'gcloud publicca external-account-keys create: keyId and b64MacKey, to be used within 7 days' }],
	['digicert', 'DigiCert', 'https://one.digicert.com/mpki/api/v1/acme/v2/directory', { eab_required: true, costs_money: true, price: 'Each certificate is charged to the product that the key identifier belongs to', quirks: [QUIRK_MANY], regions: [{ key: 'global', title: 'Global', directory_url: 'https://one.digicert.com/mpki/api/v1/acme/v2/directory', note: null }, { key: 'us', title: 'United States', directory_url: 'https://one.us.digicert.com/mpki/api/v1/acme/v2/directory', note: null }, { key: 'demo', title: 'Demo', directory_url: 'https://demo.one.digicert.com/mpki/api/v1/acme/v2/directory', note: 'for trials: certificates are not trusted' }], eab_steps: ['Sign in to CertCentral and open Automation, "ACME directory URLs".', 'Add a directory URL: product, organization, division and validity are part of it.', 'The page shows the directory URL, the KID and the HMAC key once: copy all three.'], eab_life: 'They stay valid until revoked; the HMAC key is shown once.', eab_help: 'CertCentral, Automation, ACME directory URLs: one KID and HMAC key per product, shown once' }],
].map(([key, title, directory_url, more]) => ({ key, title, directory_url, builtin_url: directory_url, overridden: false, regions: [], profiles: [], staging: false, eab_required: false, eab_fetch: false, eab_steps: [], eab_life: null, eab_help: null, contact_required: false, wildcards: !more.discontinued, addresses: false, key_types: [], names_max: 100, ari: 'unknown', not_after: false, costs_money: false, price: null, lifetime: null, limits: null, terms_url: null, docs_url: null, notes: [], quirks: [], discontinued: null, discontinued_since: null, accounts: 0, reading: null, ...more }))

const PERMISSIONS = { viewer: ['none', 'self', 'view'], operator: ['none', 'self', 'view', 'order'], admin: ['none', 'self', 'view', 'order', 'account', 'admin', 'audit', 'revoke', 'key-export'] }

export function makeMock({ empty = false, role = 'admin', signedIn = false, hostile = false } = {}) {
	const now = Date.now()
	/* hostile: true for one text everywhere, a list for one after another */
	let turn = 0
	const H = () => (Array.isArray(hostile) ? hostile[turn++ % hostile.length] : HOSTILE)
	const db = { accounts: [], orders: [], csrs: [], certificates: [], records: [], delegations: [], jobs: [], audit: [], users: [], tokens: [], views: [], viewRules: [] }
	const nums = {}
	const num = (k) => (nums[k] = (nums[k] ?? 0) + 1)
	const state = { setup: empty, session: null, streams: new Set(), requests: [], refuse: null, setupToken: 'test-setup-token' }
	const hint = (kind, id) => {
		for (const s of state.streams) s.write(`event: change\ndata: ${JSON.stringify({ kind, id, rev: ++clock })}\n\n`)
	}
	const audit = (action, kind, obj, name) => db.audit.unshift({ id: ulid(), at: iso(Date.now()), actor_kind: 'user', actor_id: 'u', actor_name: 'ada', token_id: null, token_name: null, reason: null, before: null, after: null, action, object_kind: kind, object_id: obj.id, object_name: name, detail: null, address: '192.0.2.10', request_id: ulid() })

	function user(name, r, at = now) {
		const u = { id: ulid(), num: num('user'), name, role: r, rights: r === 'admin' ? ['audit', 'key-export', 'revoke'] : name === 'auditor' ? ['audit'] : [], source: 'local', disabled: false, last_login_at: iso(now - 3600_000), created_at: iso(at), password: 'correct horse battery' }
		db.users.unshift(u)
		return u
	}
	function account(vendor, email, at = now, more = {}) {
		const v = VENDORS.find((x) => x.key === vendor) ?? { key: 'custom', title: 'Custom', directory_url: more.directory_url, staging: false }
		const a = { id: ulid(), num: num('account'), name: email, vendor: v.key, vendor_title: v.title, directory_url: v.directory_url, email, status: 'valid', url: `${v.directory_url}/acct/${clock}`, label: `${email} --- ${v.title}`, eab_kid: null, connection: null, eab_bytes: 0, eab_held: false, costs_money: v.costs_money ?? false, automatic: false, automatic_allowed: !v.costs_money, preferred_issuer: null, key_changing: false, refreshed_at: iso(at), tos_url: null, tos_agreed_at: iso(at), staging: v.staging, reason: null, created_at: iso(at), updated_at: iso(at), ...more }
		db.accounts.unshift(a)
		return a
	}
	function csr(names, more = {}) {
		const c = { id: ulid(), num: num('csr'), source: 'created', names, display_names: names.map((n) => n.replace('xn--mnchen-3ya', 'münchen')), subject: `CN=${names[0]}, O=Example Bank, C=TR`, key_type: 'p256', has_key: true, made_for_order: null, pem: CSR, created_at: iso(now - 5 * DAY), ...more }
		db.csrs.unshift(c)
		return c
	}
	function certificate(names, acc, days, more = {}) {
		const id = ulid()
		const not_before = iso(now - (90 - days) * DAY)
		const not_after = iso(now + days * DAY)
		const c = { id, num: num('certificate'), source: 'order', names, display_names: names, status: 'active', health: days < 0 ? 'expired' : days < 25 ? 'expiring' : 'active', issuer: 'CN=E7, O=Let\'s Encrypt, C=US', serial: '04a1b2c3d4e5f60718293a4b5c6d7e8f9012', key_type: 'p256', has_key: true, account_id: acc.id, vendor_title: acc.vendor_title, staging: acc.staging, validation: 'dns-01', managed: true, not_before, not_after, renew_at: iso(now + (days - 30) * DAY), order_id: null, owner: null, notes: null, tags: [], subject: `CN=${names[0]}`, sha1: '5E:81:B0:7D:29:EC:64:13:A7:3C:91:0E:5D:BB:42:18:7F:E0:11:9A', fetched_by: null, fetched_at: null, created_at: not_before, updated_at: not_before, ...more }
		c.versions = [{ id: ulid(), state: c.status === 'set-aside' ? 'evidence' : 'current', serial: c.serial, subject: `CN=${names[0]}`, issuer: c.issuer, names, fingerprint: 'A7:3C:91:0E:5D:BB:42:18:7F:E0:11:9A:6C:D4:53:2E:88:F1:0B:97:C6:3A:D2:4F:5E:81:B0:7D:29:EC:64:13', key_type: 'p256', not_before, not_after, order_id: null, reason: null, created_at: not_before }]
		c.chain = PEM + PEM
		db.certificates.unshift(c)
		return c
	}
	function order(acc, names, more = {}) {
		const at = more.at ?? now
		delete more.at
		const o = { id: ulid(), num: num('order'), account_id: acc.id, account_name: acc.name, account_email: acc.email, vendor: acc.vendor, vendor_title: acc.vendor_title, staging: acc.staging, certificate_id: null, csr_id: db.csrs[0]?.id ?? null, names, display_names: names, validation: 'dns-01', dns: 'delegation', http: null, external_dns: 'Delegation', mode: 'automatic', status: 'pending', step: 'create', stage: 'ordering', key_type: 'p256', profile: null, url: `https://acme-v02.api.letsencrypt.org/acme/order/2871${clock}/3941${clock}`, expires_at: iso(at + 7 * DAY), give_up_at: iso(at + 2 * 3600_000), next_at: iso(Date.now() + 20_000), attempts: 0, waiting_for: null, set_aside: false, reason: null, validation_record: null, created_at: iso(at), updated_at: iso(at), ended_at: null, authorizations: [], records: [], events: [], ...more }
		db.orders.unshift(o)
		return o
	}
	function event(o, text, level = 'info', detail = null, at = Date.now()) {
		o.events.push({ id: ulid(), at: iso(at), level, text, detail })
	}
	function record(o, name, more = {}) {
		const dns = o.validation === 'dns-01'
		const domain = dns ? `_acme-challenge.${name.replace(/^\*\./, '')}` : name
		const value = dns ? randomBytes(32).toString('base64url') : `${randomBytes(32).toString('base64url')}.${randomBytes(32).toString('base64url')}`
		const token = dns ? null : value.split('.')[0]
		const r = { id: ulid(), num: num('record'), order_id: o.id, order_num: o.num, kind: o.validation, type: o.dns === 'manual' || o.http === 'manual' ? 'Manual' : dns ? 'Delegation' : 'Built-in', domain, token, value, ttl: 60, status: 'not-ready', detail: null, bind_line: dns ? `${domain}. 60 IN TXT "${value}"` : null, url: dns ? null : `http://${name}/.well-known/acme-challenge/${token}`, published_at: iso(Date.now()), ready_at: null, withdrawn_at: null, created_at: o.created_at, ...more }
		db.records.unshift(r)
		o.records.push(r)
		o.validation_record = dns ? `${domain} TXT` : r.url
		return r
	}
	function issue(o) {
		const c = certificate(o.names, db.accounts.find((a) => a.id === o.account_id), 89, { validation: o.validation, order_id: o.id })
		Object.assign(o, { status: 'valid', step: 'done', stage: 'valid', certificate_id: c.id, ended_at: iso(Date.now()), next_at: null })
		for (const r of o.records) Object.assign(r, { status: 'withdrawn', withdrawn_at: iso(Date.now()) })
		event(o, 'The certificate is here: its key, names, dates and chain are as ordered.')
		hint('certificate', c.id)
	}
	/* An order walks by itself, as the engine would. */
	function walk(o, pace = state.pace ?? 500) {
		const set = (more, text, level, detail) => {
			Object.assign(o, more, { updated_at: iso(Date.now()) })
			if (text) event(o, text, level, detail)
			hint('order', o.id)
		}
		const steps = [
			() => {
				o.authorizations = o.names.map((n) => ({ identifier: n.replace(/^\*\./, ''), wildcard: n.startsWith('*.'), status: 'pending', challenge_status: 'pending', expires_at: o.expires_at, reason: null }))
				set({ step: 'authorize', stage: 'reading authorizations' }, `${o.vendor_title} took the order; it asks for proof of control of ${o.names.length === 1 ? 'one name' : `${o.names.length} names`}.`)
			},
			() => {
				for (const n of o.names) record(o, n)
				const manual = o.dns === 'manual' || o.http === 'manual'
				set(manual ? { step: 'propagate', stage: 'waiting for you' } : { step: 'propagate', stage: 'waiting for DNS' }, manual ? 'The order waits until you have set the record below.' : `Published ${o.names.length === 1 ? 'the challenge record' : 'the challenge records'}; every listener answers with it.`)
				return manual ? 'stop' : undefined
			},
			() => {
				for (const r of o.records) Object.assign(r, { status: 'ready', ready_at: iso(Date.now()) })
				set({ step: 'validate', stage: 'validating' }, 'All authoritative servers answer with the record; the authority was told to look.')
			},
			() => {
				for (const a of o.authorizations) Object.assign(a, { status: 'valid', challenge_status: 'valid' })
				for (const r of o.records) r.status = 'valid'
				set({ step: o.mode === 'automatic' ? 'finalize' : 'confirm', status: 'ready', stage: o.mode === 'automatic' ? 'finalizing' : 'ready to finalize' }, 'Every name is validated.')
				return o.mode === 'automatic' ? undefined : 'stop'
			},
			() => set({ step: 'collect', status: 'processing', stage: 'collecting' }, 'Sent the CSR; the authority is making the certificate.'),
			() => {
				issue(o)
				hint('order', o.id)
			},
		]
		const at = { create: 0, authorize: 1, propagate: 2, validate: 3, confirm: 4, finalize: 4, collect: 5 }[o.step] ?? 6
		let i = at
		const next = () => {
			if (i >= steps.length || !db.orders.includes(o)) return
			if (steps[i++]() !== 'stop') setTimeout(next, pace).unref()
		}
		setTimeout(next, pace).unref()
	}

	if (!empty) {
		const ada = user('ada', 'admin', now - 40 * DAY)
		user('deploy-bot', 'operator', now - 20 * DAY)
		user('auditor', 'viewer', now - 12 * DAY)
		if (role !== 'admin') user(`the-${role}`, role)
		state.me = role === 'admin' ? ada : db.users.find((u) => u.role === role)
		const le = account('letsencrypt', 'pki@bank.example', now - 38 * DAY)
		const st = account('letsencrypt-staging', 'pki-test@bank.example', now - 37 * DAY)
		const zero = account('zerossl', 'certificates@bank.example', now - 30 * DAY, { eab_kid: 'kJ8z' })
		account('google', 'pki@bank.example', now - 2 * DAY, { status: 'invalid', reason: { code: 'remote-refused', title: 'Refused by the authority', detail: 'Google Trust Services did not accept the external account binding', chain: [], remote: 'Unknown external account binding (EAB) key.', remote_type: 'urn:ietf:params:acme:error:externalAccountRequired' } })
		csr(['www.bank.example', 'bank.example'])
		csr(['*.apps.bank.example', 'apps.bank.example'], { key_type: 'rsa2048' })
		csr(['vpn.bank.example'], { source: 'uploaded', has_key: false, key_type: 'rsa4096', subject: 'CN=vpn.bank.example, OU=Network, O=Example Bank, L=Istanbul, C=TR' })
		csr(['xn--mnchen-3ya.bank.example'])
		certificate(['pay.bank.example'], le, 82, { owner: 'Team Payments', tags: ['edge', 'prod'] })
		certificate(['login.bank.example', 'sso.bank.example', 'id.bank.example'], le, 61)
		certificate(['*.branch.bank.example', 'branch.bank.example'], zero, 44, { issuer: 'CN=ZeroSSL ECC DV SSL CA 2, O=ZeroSSL, C=AT', key_type: 'p384' })
		certificate(['mail.bank.example', 'imap.bank.example'], le, 19)
		certificate(['old-portal.bank.example'], le, 6, { managed: false, renew_at: null, has_key: false, key_type: 'rsa2048' })
		certificate(['trial.bank.example'], st, 71, { issuer: 'CN=(STAGING) Pseudo Plum E5, O=(STAGING) Let\'s Encrypt, C=US' })
		const min = 60_000
		const ok = order(le, ['login.bank.example', 'sso.bank.example', 'id.bank.example'], { at: now - 29 * DAY, status: 'valid', step: 'done', stage: 'valid', ended_at: iso(now - 29 * DAY + 21_000), certificate_id: db.certificates[4].id, next_at: null })
		db.certificates[4].order_id = ok.id
		event(ok, "Let's Encrypt took the order; it asks for proof of control of 3 names.", 'info', null, now - 29 * DAY)
		event(ok, 'Published the challenge records; every listener answers with them.', 'info', null, now - 29 * DAY + 2000)
		event(ok, 'Every name is validated.', 'info', null, now - 29 * DAY + 14_000)
		event(ok, 'The certificate is here: its key, names, dates and chain are as ordered.', 'info', null, now - 29 * DAY + 21_000)
		ok.authorizations = ok.names.map((n) => ({ identifier: n, wildcard: false, status: 'valid', challenge_status: 'valid', expires_at: null, reason: null }))
		for (const n of ok.names) record(ok, n, { status: 'withdrawn', withdrawn_at: iso(now - 29 * DAY + 22_000) })
		const bad = order(le, ['shop.bank.example'], { at: now - 3 * 3600_000, validation: 'http-01', dns: null, http: 'builtin', external_dns: '', status: 'invalid', step: 'failed', stage: 'invalid', ended_at: iso(now - 3 * 3600_000 + 25_000), next_at: null, reason: { code: 'remote-refused', title: 'Refused by the authority', detail: 'The authority could not validate shop.bank.example by http-01', chain: ['order 2: validate', 'authorization of shop.bank.example is invalid'], hint: 'Let http://shop.bank.example/ lead to this server on port 80.', remote: '198.51.100.23: Fetching http://shop.bank.example/.well-known/acme-challenge/qF2...: Connection refused', remote_type: 'urn:ietf:params:acme:error:connection' } })
		event(bad, "Let's Encrypt took the order; it asks for proof of control of one name.", 'info', null, now - 3 * 3600_000)
		event(bad, 'Answering for the token on port 80; the authority was told to look.', 'info', null, now - 3 * 3600_000 + 3000)
		event(bad, 'The authority could not validate shop.bank.example.', 'error', { remote: '198.51.100.23: Fetching http://shop.bank.example/.well-known/acme-challenge/qF2...: Connection refused', remote_type: 'urn:ietf:params:acme:error:connection' }, now - 3 * 3600_000 + 25_000)
		bad.authorizations = [{ identifier: 'shop.bank.example', wildcard: false, status: 'invalid', challenge_status: 'invalid', expires_at: null, reason: { code: 'remote-refused', title: 'Refused', detail: null, chain: [], remote: '198.51.100.23: Connection refused' } }]
		record(bad, 'shop.bank.example', { status: 'invalid' })
		const wait = order(le, ['*.api.bank.example', 'api.bank.example'], { at: now - 26 * min, dns: 'manual', external_dns: 'Manual', step: 'propagate', stage: 'waiting for you' })
		event(wait, "Let's Encrypt took the order; it asks for proof of control of 2 names.", 'info', null, now - 26 * min)
		event(wait, 'The order waits until you have set the records below. It looks again every 30 seconds.', 'warning', null, now - 26 * min + 1500)
		for (const r of db.records.filter((r) => r.order_id === wait.id)) r.detail = { seen: false, text: '1 of 2 servers has it', view: 'outside', rule: 'bank.example', zone: 'bank.example', inside: false, alias: null, servers: [{ name: 'ns1.bank.example', address: '192.0.2.53:53', state: 'has', text: 'has it', values: [r.value] }, { name: 'ns2.bank.example', address: '[2001:db8::53]:53', state: 'other', text: 'has another value: old', values: ['an-old-value'] }] }
		event(wait, 'ns1.bank.example and ns2.bank.example do not have the records yet.', 'info', { asked: ['ns1.bank.example', 'ns2.bank.example'], found: [] }, now - 8 * min)
		wait.authorizations = wait.names.map((n) => ({ identifier: 'api.bank.example', wildcard: n.startsWith('*.'), status: 'pending', challenge_status: 'pending', expires_at: wait.expires_at, reason: null }))
		for (const n of wait.names) record(wait, n)
		const ready = order(zero, ['files.bank.example'], { at: now - 12 * min, mode: 'step-by-step', status: 'ready', step: 'confirm', stage: 'ready to finalize' })
		event(ready, 'ZeroSSL took the order; it asks for proof of control of one name.', 'info', null, now - 12 * min)
		event(ready, 'Every name is validated.', 'info', null, now - 11 * min)
		ready.authorizations = [{ identifier: 'files.bank.example', wildcard: false, status: 'valid', challenge_status: 'valid', expires_at: null, reason: null }]
		record(ready, 'files.bank.example', { status: 'valid', ready_at: iso(now - 11 * min) })
		const run = order(le, ['status.bank.example'], { at: now - 40_000, step: 'propagate', stage: 'waiting for DNS' })
		event(run, "Let's Encrypt took the order; it asks for proof of control of one name.", 'info', null, now - 40_000)
		event(run, 'Published the challenge record; every listener answers with it.', 'info', null, now - 38_000)
		run.authorizations = [{ identifier: 'status.bank.example', wildcard: false, status: 'pending', challenge_status: 'pending', expires_at: null, reason: null }]
		record(run, 'status.bank.example', { status: 'ready' })
		for (const n of ['login.bank.example', 'sso.bank.example', 'status.bank.example']) db.delegations.push({ id: ulid(), num: num('delegation'), name: n, zone: `_acme-challenge.${n}`, ns_line: `_acme-challenge.${n}. 3600 IN NS acme.bank.example.`, cname_line: null, provider_id: null, target: null, away: null, away_since: null, made_for_order: null, facts: n.startsWith('login') ? [{ name: n, check: 'delegation', state: 'good', text: `'_acme-challenge.${n}' is delegated to acme.bank.example`, todo: null, view: '' }, { name: n, check: 'server', state: 'unknown', text: '198.51.100.7 does not answer by UDP as seen from here: no answer', todo: 'Behind NAT this may be right all the same: look at what the Internet asked. Else let port 53 through.', view: '' }] : null, looked_at: n.startsWith('login') ? iso(now - 3600_000) : null, created_at: iso(now - 29 * DAY) })
		db.jobs.push({ id: ulid(), num: num('job'), kind: 'account-register', subject_kind: 'account', subject_id: le.id, state: 'done', result: null, reason: null, attempts: 1, next_at: null, created_at: iso(now - 38 * DAY), updated_at: iso(now - 38 * DAY), ended_at: iso(now - 38 * DAY) })
		db.jobs.unshift({ id: ulid(), num: num('job'), kind: 'account-refresh', subject_kind: 'account', subject_id: zero.id, state: 'failed', result: null, reason: { code: 'unreached', title: 'Not reached', detail: 'ZeroSSL was not reached: connecting to acme.zerossl.com:443 took longer than 10 s', chain: [] }, attempts: 3, next_at: null, created_at: iso(now - DAY), updated_at: iso(now - DAY), ended_at: iso(now - DAY) })
		db.tokens.push({ id: ulid(), num: num('token'), name: 'deploy pipeline', user_id: ada.id, user_name: 'ada', role: 'operator', rights: [], sources: ['192.0.2.0/24'], prefix: 'cw_7fK2', created_at: iso(now - 20 * DAY), expires_at: iso(now + 70 * DAY), used_at: iso(now - 9 * min), revoked_at: null, certificate_id: null, certificate_name: null, reason: null }, { id: ulid(), num: num('token'), name: 'old laptop', user_id: ada.id, user_name: 'ada', role: 'admin', rights: ['audit'], sources: [], prefix: 'cw_Qx01', created_at: iso(now - 200 * DAY), expires_at: iso(now - 110 * DAY), used_at: null, revoked_at: iso(now - 150 * DAY), certificate_id: null, certificate_name: null, reason: null })
		for (const [action, kind, obj, name] of [['account.register', 'account', le, le.email], ['csr.create', 'csr', db.csrs[3], 'www.bank.example'], ['order.create', 'order', ok, 'login.bank.example'], ['order.create', 'order', wait, '*.api.bank.example'], ['session.create', 'user', ada, 'ada']]) audit(action, kind, obj, name)
		if (hostile) {
			const h = account('letsencrypt', H(), now, { name: H(), directory_url: H(), vendor_title: H(), reason: { code: 'x', title: H(), detail: H(), chain: [H()], remote: H() } })
			csr([H(), H() + 'b'], { subject: H() })
			const c = certificate([H()], h, 3, { issuer: H(), serial: H(), managed: false })
			c.chain = H()
			const o = order(h, [H()], { external_dns: H(), stage: 'waiting for you', dns: 'manual', step: 'propagate', url: H(), reason: { code: 'x', title: H(), detail: H(), chain: [H()], hint: H(), remote: H(), remote_type: H() } })
			event(o, H(), 'error', { remote: H(), detail: H() })
			event(o, H(), 'error', { [H()]: H() })
			o.authorizations = [{ identifier: H(), wildcard: false, status: 'invalid', challenge_status: H(), expires_at: null, reason: { code: 'x', title: H(), detail: H(), chain: [], remote: H() } }]
			record(o, H(), { value: H(), bind_line: H(), domain: H(), detail: H() })
			db.delegations.push({ id: ulid(), num: 9, name: H(), zone: H(), ns_line: H(), cname_line: H(), provider_id: null, target: null, away: H(), away_since: iso(now), made_for_order: null, facts: [{ name: H(), check: 'delegation', state: 'bad', text: H(), todo: H(), view: H() }], looked_at: iso(now), created_at: iso(now) })
			user(H(), 'viewer')
			db.tokens.push({ ...db.tokens[0], id: ulid(), name: H(), user_name: H() })
			db.jobs.push({ ...db.jobs[0], id: ulid(), kind: H(), reason: { code: 'x', title: H(), detail: H(), chain: [], remote: H() } })
			audit(H(), 'order', { id: o.id }, H())
			db.audit[0].actor_name = H()
			db.audit[0].detail = { x: H() }
			state.lane = { name: H(), parked_until: iso(now + 60_000), reason: { detail: H(), remote: H() } }
		}
	}
	if (signedIn) state.session = { user: state.me, cookie: 'mock' }

	const strip = ({ password, versions, chain, authorizations, records, events, ...rest }) => rest
	const find = (list, id) => list.find((x) => x.id === id || String(x.num) === id)

	const externalDns = makeExternalDns({ empty, now, iso, ulid, state })
	const channels = makeChannels({ empty, now, iso, ulid, hostile: hostile ? H : null })
	const statusPage = makeStatusPage({ empty, now, iso, ulid, hostile: hostile ? H : null, db, state, hint })

	function handle(req, res, url, body) {
		const path = url.pathname.replace('/api/v1', '')
		const q = url.searchParams
		const json = (status, data, headers = {}) => {
			res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers })
			res.end(data === undefined ? undefined : JSON.stringify(data))
		}
		const file = (type, name, text, headers = {}) => {
			res.writeHead(200, { 'Content-Type': type, 'Content-Disposition': `attachment; filename="${name}"`, ...headers })
			res.end(text)
		}
		const problem = (status, title, detail, errors) => {
			res.writeHead(status, { 'Content-Type': 'application/problem+json' })
			res.end(JSON.stringify({ type: 'urn:certwright:error:test', status, title, detail, ...(errors ? { errors } : {}) }))
		}
		const page = (list) => {
			list = narrowed(list, q)
			const limit = Number(q.get('limit') ?? 50)
			const from = Number(q.get('cursor') ?? 0)
			json(200, { items: list.slice(from, from + limit).map(strip), has_more: from + limit < list.length, cursor: from + limit < list.length ? String(from + limit) : null })
		}
		const permissions = () => [...new Set([...PERMISSIONS[state.session.user.role], ...state.session.user.rights])]
		const session = () => ({ user: strip(state.session.user), csrf_token: 'csrf-1', permissions: permissions(), expires_at: iso(Date.now() + 1800_000) })
		const m = (method, re) => req.method === method && re.exec(path)
		let x
		state.requests.push(`${req.method} ${path}`)

		if (m('GET', /^\/setup$/)) return json(200, { needed: state.setup, version: '0.1.0' })
		if (m('POST', /^\/setup$/)) {
			if (body.setup_token !== state.setupToken) return problem(401, 'Not signed in', 'This setup token is not known, was used, or is too old')
			state.setup = false
			state.session = { user: user(body.name, 'admin') }
			return json(201, session(), { 'Set-Cookie': 'mock=1; HttpOnly; SameSite=Strict; Path=/' })
		}
		if (m('POST', /^\/session$/)) {
			const u = db.users.find((v) => v.name === body.name && v.password === body.password)
			if (!u) return problem(401, 'Not signed in', 'Name or password is wrong')
			state.session = { user: u }
			return json(201, session(), { 'Set-Cookie': 'mock=1; HttpOnly; SameSite=Strict; Path=/' })
		}
		if (path === '/openapi.yaml') return json(200, {})
		if (!state.session) return problem(401, 'Not signed in', 'Sign in first')
		if (req.method !== 'GET' && req.headers['x-csrf-token'] !== 'csrf-1') return problem(403, 'Denied', 'The CSRF token is missing')
		const may = (p) => permissions().includes(p)
		if (req.method !== 'GET' && /^\/(orders|csrs|delegations|certificates)/.test(path) && !/(export|lint)$/.test(path) && !may('order')) return problem(403, 'Denied', 'Your role may not do this')
		const refused = req.method === 'GET' && refusal(path, q)
		if (refused) return problem(400, 'Invalid input', refused)
		if (m('GET', /^\/session$/)) return json(200, session())
		if (m('DELETE', /^\/session$/)) {
			state.session = null
			return json(204)
		}
		if (state.refuse && req.method === 'POST') {
			const r = state.refuse
			state.refuse = null
			return problem(r.status, r.title, r.detail, r.errors)
		}
		if (m('PUT', /^\/password$/)) return body.old_password === state.session.user.password ? json(204) : problem(400, 'Invalid', 'Invalid', [{ pointer: '/old_password', detail: 'This is not your present password' }])
		if (m('GET', /^\/vendors$/)) return json(200, { items: VENDORS })
		if (m('GET', /^\/status$/)) {
			const count = (s) => db.orders.filter((o) => o.status === s).length
			return json(200, { version: '0.1.0', started_at: iso(now - 3 * DAY), now: iso(Date.now()), store: { driver: 'sqlite', writable: true, reason: '' }, edge: { configured: true, connected: true, loaded: true }, trial_directory: null, dns_hostname: 'acme.bank.example', dns_listen: ['0.0.0.0:53', '[::]:53'], http01_listen: ['0.0.0.0:80', '[::]:80'], warnings: [], certificates: { all: db.certificates.length, managed: db.certificates.length, revoked: 0, set_aside: 0, expiring: db.certificates.filter((c) => c.not_after && c.not_after > iso(now) && c.not_after < iso(now + 30 * DAY)).length }, orders: { pending: count('pending'), ready: count('ready'), processing: count('processing'), valid: count('valid'), invalid: count('invalid') }, backup: { made_at: iso(now - 5 * 3600_000), bytes: 1234567 }, key_escrow_at: iso(now - 3 * DAY), lanes: empty ? [] : [{ name: 'vendor:letsencrypt', parked_until: null, reason: null }, state.lane ?? { name: 'vendor:zerossl', parked_until: iso(Date.now() + 14 * 60_000), reason: { title: 'Too many requests', detail: 'ZeroSSL answered 503 and asks to wait', remote: 'Service busy; retry later.' } }] })
		}
		if (m('GET', /^\/events$/)) {
			res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
			res.write(': hello\n\n')
			state.streams.add(res)
			res.on('close', () => state.streams.delete(res))
			return
		}
		if (externalDns({ m, json, page, problem, body })) return
		if (channels({ m, json, page, problem, body })) return
		if (statusPage({ m, json, file, problem, may, q })) return
		if (m('GET', /^\/orders$/)) return page(db.orders.filter((o) => (!q.get('account_id') || db.accounts.some((a) => a.id === o.account_id && [a.id, String(a.num)].includes(q.get('account_id'))))))
		if (m('POST', /^\/orders$/)) {
			const acc = find(db.accounts, body.account_id)
			const c = body.csr_id ? find(db.csrs, body.csr_id) : csr(body.names, { source: 'order' })
			const names = body.names ?? c.names
			const o = order(acc, names, { at: Date.now(), validation: body.validation, dns: body.dns ?? null, http: body.http ?? null, external_dns: body.validation === 'dns-01' ? (body.dns === 'manual' ? 'Manual' : 'Delegation') : '', mode: body.mode ?? 'automatic', csr_id: c.id })
			event(o, `The order for ${names.join(', ')} was made.`)
			audit('order.create', 'order', o, names[0])
			walk(o)
			hint('order', o.id)
			return json(201, strip(o), { Location: `/api/v1/orders/${o.id}`, ETag: '"1"' })
		}
		if ((x = m('GET', /^\/orders\/([^/]+)\/certificate$/))) return file('application/pem-certificate-chain', `order-${x[1]}.pem`, PEM)
		if ((x = m('POST', /^\/orders\/([^/]+)\/(refresh|finalize)$/))) {
			const o = find(db.orders, x[1])
			if (!o) return problem(404, 'Not found', 'There is no such order')
			if (x[2] === 'finalize' && o.status !== 'ready') return problem(409, 'Conflict', 'The order is not ready')
			event(o, x[2] === 'finalize' ? 'Finalize was asked for by ada.' : 'A look was asked for by ada.')
			if (x[2] === 'finalize' || o.stage === 'waiting for you') walk(o)
			hint('order', o.id)
			return json(200, strip(o), { ETag: '"1"' })
		}
		if ((x = m('GET', /^\/vendors\/([^/]+)$/))) {
			const v = VENDORS.find((y) => y.key === x[1])
			return v ? json(200, v, { ETag: '"1"' }) : problem(404, 'Not found', 'There is no such vendor')
		}
		if ((x = m('PATCH', /^\/vendors\/([^/]+)$/))) return json(200, VENDORS.find((y) => y.key === x[1]), { ETag: '"2"' })
		if (m('POST', /^\/vendors\/check$/)) return json(200, { jobs: [] })
		if (m('POST', /^\/vendors\/read$/)) return json(200, reading(body.directory_url ?? VENDORS.find((y) => y.key === body.vendor)?.directory_url ?? ''))
		if ((x = m('GET', /^\/accounts\/([^/]+)\/deletion$/))) {
			const a = find(db.accounts, x[1])
			if (!a) return problem(404, 'Not found', 'There is no such account')
			const orders = db.orders.filter((o) => o.account_id === a.id)
			const live = orders.filter((o) => o.status !== 'valid' && o.status !== 'invalid')
			const certs = db.certificates.filter((c) => c.account_id === a.id)
			return json(200, { account_id: a.id, label: a.label, registered: a.status === 'valid', orders: orders.length, live_orders: live.length, live: live.map((o) => ({ id: o.id, num: o.num, display_names: o.display_names, stage: o.stage })), certificates: certs.length, renewed: certs.length, certificate_list: certs.map((c) => ({ id: c.id, num: c.num, display_names: c.display_names, renewed: true, not_after: c.not_after })), more_certificates: false })
		}
		if ((x = m('POST', /^\/accounts\/([^/]+)\/(?:contact|agree|rollover)$/))) return json(200, find(db.accounts, x[1]), { ETag: '"1"' })
		if ((x = m('POST', /^\/accounts\/([^/]+)\/refresh$/))) return json(200, find(db.accounts, x[1]), { ETag: '"1"' })
		if (m('POST', /^\/accounts$/)) {
			const v = VENDORS.find((y) => y.key === body.vendor)
			if (v?.eab_required && !body.eab_kid) return problem(400, 'Invalid', 'Invalid', [{ pointer: '/eab_kid', detail: `${v.title} registers only accounts with external account binding` }])
			const a = account(body.vendor, body.email ?? '', Date.now(), body.directory_url ? { directory_url: body.directory_url } : {})
			audit('account.register', 'account', a, a.email)
			hint('account', a.id)
			return json(201, a, { ETag: '"1"' })
		}
		const judged = (vendor) => ({ findings: vendor?.startsWith('google') ? [{ field: '/csr_id', text: 'the CSR asks for client authentication, which Google Trust Services refuses', hint: 'Make the CSR without an extended key usage; the authority adds what it issues.' }] : [], ignored: [{ name: 'keyUsage', text: 'key usage: the authority sets its own' }, { name: 'smimeCapabilities', text: 'S/MIME capabilities: they are about mail' }, { name: 'challengePassword', text: 'challenge password: ACME has other proofs; it can be read by whoever sees the CSR' }] })
		if (m('POST', /^\/csrs\/lint$/)) {
			if (!/MII/.test(body.pem)) return problem(400, 'Invalid input', 'could not accept the certificate signing request', [{ pointer: '/pem', detail: 'its base64 cannot be read' }])
			return json(200, { names: ['device.bank.example', 'www.device.bank.example'], display_names: ['device.bank.example', 'www.device.bank.example'], subject: 'CN=device.bank.example, O=Example Bank', key_type: 'rsa2048', must_staple: false, common_name_only: false, ...judged(body.vendor) })
		}
		if (m('GET', /^\/csrs\/[^/]+\/check$/)) return json(200, { vendor: q.get('vendor'), ...judged(q.get('vendor')) })
		if (m('POST', /^\/csrs(\/upload)?$/)) {
			const c = path.endsWith('upload') ? csr(['device.bank.example'], { source: 'uploaded', has_key: false }) : csr(body.names, { key_type: body.key_type, created_at: iso(Date.now()) })
			hint('csr', c.id)
			return json(201, c, { ETag: '"1"' })
		}
		if (m('GET', /^\/delegations\/[^/]+\/asked$/))
			return json(200, { items: [{ network: '192.0.2.0/24', transport: 'udp', type: 'TXT', answer: 'answered', times: 12, first_at: iso(Date.now() - 7200_000), last_at: iso(Date.now() - 60_000) }, { network: '2001:db8:40::/56', transport: 'tcp', type: 'TXT', answer: 'empty', times: 1, first_at: iso(Date.now() - 7200_000), last_at: iso(Date.now() - 3600_000) }] })
		if (m('POST', /^\/preflight$/))
			return json(200, { names: body.names, facts: [{ name: body.names[0], check: 'caa', state: 'bad', text: `the CAA records of '${body.names[0]}' do not allow letsencrypt.org: other.example`, todo: 'Add a CAA record that names the authority, or order elsewhere.', view: '' }, { name: body.names[0], check: 'port-80', state: 'good', text: 'port 80 of 192.0.2.10 answers (404)', todo: null, view: 'outside' }] })
		if (m('GET', /^\/views$/))
			return page([{ id: VIEWS[0], num: 1, name: 'outside', kind: 'doh', servers: [], url: 'https://dns.example/dns-query', direct: false, connection: null, created_at: iso(Date.now() - DAY), updated_at: iso(Date.now() - DAY) }, { id: VIEWS[1], num: 2, name: 'datacentre', kind: 'servers', servers: ['10.0.0.53:53', '10.1.0.53:53'], url: null, direct: true, connection: null, created_at: iso(Date.now() - DAY), updated_at: iso(Date.now() - DAY) }, ...db.views])
		if (m('GET', /^\/view-rules$/))
			return page([{ id: 'R1', num: 1, suffix: 'bank.example', vendor: '', view_id: VIEWS[0], wait_s: 0, created_at: iso(Date.now() - DAY), updated_at: iso(Date.now() - DAY) }, { id: 'R2', num: 2, suffix: 'slow.bank.example', vendor: 'letsencrypt', view_id: null, wait_s: 300, created_at: iso(Date.now() - DAY), updated_at: iso(Date.now() - DAY) }, ...db.viewRules])
		if (m('POST', /^\/delegations$/)) {
			const d = { id: ulid(), num: num('delegation'), name: body.name, zone: `_acme-challenge.${body.name}`, ns_line: body.target ? null : `_acme-challenge.${body.name}. 3600 IN NS acme.bank.example.`, cname_line: body.target ? `_acme-challenge.${body.name}. 3600 IN CNAME ${body.target}.` : null, provider_id: body.provider_id ?? null, target: body.target ?? null, away: null, away_since: null, made_for_order: null, created_at: iso(Date.now()) }
			db.delegations.unshift(d)
			return json(201, d, { ETag: '"1"' })
		}
		if (m('POST', /^\/users$/)) {
			if (db.users.some((u) => u.name === body.name)) return problem(409, 'Conflict', 'There is a user of this name', [{ pointer: '/name', detail: 'There is a user of this name' }])
			return json(201, strip(Object.assign(user(body.name, body.role), { last_login_at: null })))
		}
		if (m('POST', /^\/tokens$/)) {
			const k = { id: ulid(), num: num('token'), name: body.name, user_id: 'x', user_name: state.session.user.name, role: body.certificate ? 'pull' : body.role, rights: body.rights ?? [], sources: body.sources ?? [], prefix: 'cw_Ab3d', created_at: iso(Date.now()), expires_at: iso(Date.now() + body.days * DAY), used_at: null, revoked_at: null, certificate_id: body.certificate ?? null, certificate_name: body.certificate ? (db.certificates.find((c) => c.id === body.certificate)?.names[0] ?? null) : null, reason: body.reason ?? null }
			db.tokens.unshift(k)
			return json(201, { token: `cw_Ab3d${randomBytes(32).toString('base64url')}`, info: k })
		}
		if ((x = m('DELETE', /^\/tokens\/([^/]+)$/))) {
			find(db.tokens, x[1]).revoked_at = iso(Date.now())
			return json(204)
		}
		if ((x = m('POST', /^\/certificates\/([^/]+)\/export$/))) return file('application/octet-stream', `certificate.${body.format === 'der' ? 'der' : 'pem'}`, PEM)
		if ((x = m('PATCH', /^\/certificates\/([^/]+)$/))) return json(200, Object.assign(find(db.certificates, x[1]), body), { ETag: '"2"' })
		if (m('POST', /^\/imports$/)) {
			const row = { result: 'failed', certificate_id: null, certificate_num: null, names: [], subject: null, fingerprint: null, not_after: null, has_key: false, reason: null }
			if (!body.content.includes('-----BEGIN CERTIFICATE')) return json(200, { items: [{ ...row, reason: { code: 'invalid', detail: 'There is no certificate in it' } }] })
			const c = certificate(['shop.bank.example'], db.accounts[0], 40, { source: 'imported', account_id: null, managed: false, renew_at: null, has_key: body.with_keys ?? false, owner: body.owner ?? null, tags: body.tags ?? [] })
			hint('certificate', c.id)
			return json(200, { items: [{ ...row, result: 'imported', certificate_id: c.id, certificate_num: c.num, names: c.names, subject: c.subject, not_after: c.not_after, has_key: c.has_key }] })
		}
		if (m('GET', /^\/users\/([^/]+)\/sessions$/)) return json(200, { items: [{ id: ulid(), user_id: 'u', address: '192.0.2.10', created_at: iso(Date.now() - 3600_000), seen_at: iso(Date.now() - 60_000), expires_at: iso(Date.now() + DAY / 2), current: true }, { id: ulid(), user_id: 'u', address: '2001:db8::7', created_at: iso(Date.now() - DAY / 3), seen_at: iso(Date.now() - 600_000), expires_at: iso(Date.now() + DAY / 6), current: false }] })
		if (m('DELETE', /^\/users\/([^/]+)\/sessions$/) || m('DELETE', /^\/sessions\/([^/]+)$/)) return json(204)
		if ((x = m('PATCH', /^\/users\/([^/]+)$/))) {
			const u = find(db.users, x[1])
			Object.assign(u, body)
			return json(200, strip(u), { ETag: '"2"' })
		}
		const renewal = (c, i = 0) => ({ certificate_id: c.id, certificate_num: c.num, names: c.names, display_names: c.display_names, managed: c.managed, why: i % 3 === 1 ? 'ari' : 'fraction', waits: i === 2 ? 'person' : 'nothing', paused: i === 4, failures: i === 3 ? 4 : 0, renew_at: c.renew_at, next_attempt_at: c.renew_at, not_after: c.not_after, window_start: i % 3 === 1 ? c.renew_at : null, window_end: i % 3 === 1 ? c.not_after : null, explanation_url: null, information_at: null, information_reason: null, order_id: null, order_num: null, order_stage: null, tried_at: null, failing_since: i === 3 ? iso(Date.now() - 2 * DAY) : null, reason: i === 3 || i === 4 ? { code: 'remote-refused', title: 'Refused by the remote service', detail: 'could not place the order', chain: ['could not place the order', 'policy forbids this name'] } : null, waiting_to_be_installed_since: null, key_policy: 'new', key_max_days: 398, window_id: null })
		if (m('GET', /^\/expiry$/)) {
			const n = Number(q.get('weeks') ?? 13)
			const weeks = Array.from({ length: n }, (_, i) => {
				const from = Date.now() + i * 7 * DAY
				const here = db.certificates.filter((c) => Date.parse(c.not_after) >= from && Date.parse(c.not_after) < from + 7 * DAY)
				return { from: iso(from), to: iso(from + 7 * DAY), expire: here.length, unmanaged: here.filter((c) => !c.managed).length }
			})
			return json(200, { weeks, expired: db.certificates.filter((c) => Date.parse(c.not_after) < Date.now()).length })
		}
		if (m('POST', /^\/renewals$/)) {
			const ok = !state.price || body.accept_cost === true
			;(state.renewed ??= []).push(body.accept_cost === true)
			return json(200, { items: body.certificate_ids.map((ref) => ({ ref, certificate_id: ref, certificate_num: 2, display_names: [], order_id: ok ? ulid() : null, order_num: ok ? 99 : null, job_id: null, existing: false, reason: ok ? null : { code: 'needs-person', title: 'A person must decide', detail: state.price, hint: null, chain: [], remote: null, remote_type: null, retry_at: null, field: '/accept_cost' } })) })
		}
		if (m('GET', /^\/renewals$/)) return page(db.certificates.filter((c) => c.managed).map(renewal))
		if ((x = m('GET', /^\/certificates\/([^/]+)\/renewal$/))) return json(200, { ...renewal(find(db.certificates, x[1]), 1), events: [] })
		if ((x = m('POST', /^\/certificates\/([^/]+)\/renewal$/))) return json(200, renewal(find(db.certificates, x[1])))
		if ((x = m('POST', /^\/certificates\/([^/]+)\/manage$/))) return json(200, Object.assign(find(db.certificates, x[1]), { managed: true, account_id: body.account_id, validation: body.validation, renew_at: iso(Date.now() + 20 * DAY) }), { ETag: '"2"' })
		if (m('POST', /^\/certificate-actions$/)) {
			const found = body.q ? db.certificates.filter((c) => body.q.split(' ').every((term) => (term.startsWith('tag:') ? c.tags.includes(term.slice(4)) : c.names.some((n) => n.includes(term))))) : body.certificate_ids.map((id) => find(db.certificates, id))
			const items = found.map((c) => {
				const row = { ref: c.id, certificate_id: c.id, certificate_num: c.num, display_names: c.display_names, order_id: null, order_num: null, job_id: null, existing: false, reason: null }
				if (body.action === 'renew' && !c.managed) return { ...row, reason: { code: 'conflict', title: 'Conflicting state', detail: `certificate ${c.num} is only watched, it is not renewed from here`, chain: [], hint: 'Take it over first: give it an account and a way to validate its names.' } }
				if (!body.preview && body.action === 'add-tags') c.tags = [...c.tags, ...body.tags]
				return body.preview || body.action !== 'renew' ? row : { ...row, order_id: ulid(), order_num: 7 }
			})
			if (body.stored) {
				const job = { id: ulid(), num: num('job'), kind: 'bulk', subject_kind: null, subject_id: null, state: 'running', result: { kind: 'bulk', done: 0, refused: 0, total: null, before: 0 }, reason: null, attempts: 1, next_at: null, created_at: iso(Date.now()), updated_at: iso(Date.now()), ended_at: null }
				db.jobs.unshift(job)
				state.stored = { ...state.stored, [job.id]: items }
				return json(202, job, { Location: `/api/v1/jobs/${job.id}` })
			}
			return json(200, { items, has_more: false, cursor: null })
		}
		if ((x = m('GET', /^\/jobs\/([^/]+)\/rows$/))) return page(state.stored?.[x[1]] ?? [])
		if ((x = m('GET', /^\/jobs\/([^/]+)$/)) && state.stored?.[x[1]]) {
			/* Half of it is done when it is looked at first; all of it afterwards. */
			const job = find(db.jobs, x[1])
			const items = state.stored[x[1]]
			const seen = job.result.done + job.result.refused && !state.hold ? items : items.slice(0, Math.ceil(items.length / 2))
			const refused = seen.filter((r) => r.reason).length
			Object.assign(job, { result: { ...job.result, done: seen.length - refused, refused } })
			if (seen === items) Object.assign(job, { state: 'done', ended_at: iso(Date.now()) })
			return json(200, job)
		}
		if (m('POST', /^\/(renewals|revocations)$/)) return json(200, { items: body.certificate_ids.map((ref) => ({ ref, certificate_id: ref, certificate_num: 1, display_names: ['x.example'], order_id: ulid(), order_num: 7, job_id: null, existing: false, reason: null })) })
		if (m('GET', /^\/renewal-pause$/)) return json(200, state.pause ?? { stopped: false, reason: null, by: null, since: null, until: null })
		if (m('PUT', /^\/renewal-pause$/)) {
			state.pause = body.stopped ? { stopped: true, reason: body.reason, by: state.session.user.name, since: iso(Date.now()), until: body.until ?? null } : null
			return json(200, state.pause ?? { stopped: false, reason: null, by: null, since: null, until: null })
		}
		if (m('GET', /^\/renewal-windows$/)) return json(200, { items: db.windows ?? [{ id: ulid(), num: 1, name: 'weekend', cron: '0 2 * * sat', minutes: 240, zone: 'Europe/Berlin', tag: null, is_default: true, open: false, next_at: iso(Date.now() + 2 * DAY), created_at: iso(Date.now()) }] })
		if (m('POST', /^\/renewal-windows$/)) return json(201, { id: ulid(), num: 2, tag: null, ...body, open: false, next_at: iso(Date.now() + DAY), created_at: iso(Date.now()) }, { ETag: '"1"' })
		if (m('GET', /^\/notices$/)) {
			const c = db.certificates[0]
			return json(200, { items: c && !state.empty ? [{ id: ulid(), num: 1, kind: 'waiting-for-you', subject_kind: 'certificate', subject_id: c.id, cause: `certificate ${c.num} (${c.names[0]}) is to be renewed and its names are validated by hand`, next_step: 'Renew it: the order shows the record to set.', touched: 1, first_expiry: c.not_after, raised_at: iso(Date.now()), changed_at: iso(Date.now()), certificates: [{ id: c.id, num: c.num, display_names: c.display_names, not_after: c.not_after }] }] : [] })
		}
		const lists = { accounts: db.accounts, csrs: db.csrs, certificates: db.certificates, records: db.records, delegations: db.delegations, jobs: db.jobs, audit: db.audit, users: db.users, tokens: db.tokens, orders: db.orders }
		if ((x = m('GET', /^\/(\w+)$/)) && lists[x[1]]) {
			let list = lists[x[1]]
			if (q.get('q') && x[1] === 'accounts') list = list.filter((a) => [a.name, a.email, a.directory_url, a.eab_kid].some((v) => v?.toLowerCase().includes(q.get('q').toLowerCase())))
			if (x[1] === 'certificates') {
				for (const term of (q.get('q') ?? '').split(' ').filter(Boolean))
					list = list.filter((c) => (term.startsWith('tag:') ? c.tags.includes(term.slice(4)) : c.names.some((n) => n.includes(term))))
			}
			return page(list)
		}
		if ((x = m('GET', /^\/(\w+)\/([^/]+)$/)) && lists[x[1]]) {
			const o = find(lists[x[1]], x[2])
			return o ? json(200, x[1] === 'users' ? strip(o) : o, { ETag: '"1"' }) : problem(404, 'Not found', 'There is no such object')
		}
		if ((x = m('DELETE', /^\/(\w+)\/([^/]+)$/)) && lists[x[1]]) {
			if (!req.headers['if-match']) return problem(428, 'If-Match is missing', 'If-Match is missing')
			const i = lists[x[1]].findIndex((o) => o.id === x[2] || String(o.num) === x[2])
			if (i < 0) return problem(404, 'Not found', 'There is no such object')
			const [gone] = lists[x[1]].splice(i, 1)
			hint(x[1].replace(/s$/, ''), gone.id)
			return json(204)
		}
		return problem(404, 'Not found', `There is no ${req.method} ${path}`)
	}

	const server = http.createServer((req, res) => {
		const url = new URL(req.url, 'http://x')
		if (url.pathname === '/healthz') return res.end('ok')
		if (url.pathname.startsWith('/api/v1/')) {
			let text = ''
			req.on('data', (d) => (text += d))
			req.on('end', () => handle(req, res, url, text ? JSON.parse(text) : undefined))
			return
		}
		let file = url.pathname === '/' || !extname(url.pathname) ? '/index.html' : url.pathname
		let data
		try {
			data = readFileSync(join(dist, file))
		} catch {
			res.writeHead(404)
			return res.end()
		}
		const headers = { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'X-Content-Type-Options': 'nosniff' }
		/* As the server: what has its hash in its name does not change. */
		if (file.startsWith('/assets/')) headers['Cache-Control'] = 'public, max-age=31536000, immutable'
		if (file === '/index.html') {
			const nonce = randomBytes(18).toString('base64url')
			data = data.toString().replaceAll('__CSP_NONCE__', nonce)
			headers['Cache-Control'] = 'no-store'
			/* As src/api/assets.c says it. */
			headers['Content-Security-Policy'] = `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; connect-src 'self'; img-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types default`
		}
		res.writeHead(200, headers)
		res.end(data)
	})
	/* Below the ports that the kernel gives to connections by itself: one that is closed can be had again. */
	const listen = (port) =>
		new Promise((r, no) => {
			let at = port ?? FIRST_PORT + Math.floor(Math.random() * PORTS)
			server.on('error', (e) => (e.code === 'EADDRINUSE' && !port ? server.listen((at = FIRST_PORT + ((at + 1 - FIRST_PORT) % PORTS)), '127.0.0.1') : no(e)))
			server.once('listening', () => (server.removeAllListeners('error'), r(at)))
			server.listen(at, '127.0.0.1')
		})
	const close = () =>
		new Promise((r) => {
			server.closeAllConnections()
			server.close(r)
		})
	return { db, state, listen, close, hint, server }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const port = await makeMock({ empty: process.argv.includes('--empty') }).listen(Number(process.argv[2] ?? 5180))
	console.log(`http://127.0.0.1:${port}/ (sign in as ada, correct horse battery; with --empty open /#setup=test-setup-token)`)
}
