// SPDX-License-Identifier: Apache-2.0
// mock-notify.mjs - notification channels of the mock: data, and answers to their requests.

export function makeChannels({ empty, now, iso, ulid, hostile }) {
	const day = 86_400_000
	let nums = 0
	const channel = (kind, name, settings, more) => ({ id: ulid(), num: ++nums, kind, name, enabled: true, settings, rules: { events: [], vendors: [], tags: [], owners: [], search: '' }, connection: null, status: 'new', reason: null, waiting: 0, dropped: 0, tested_at: null, sent_at: null, created_at: iso(now - 20 * day), updated_at: iso(now - day), ...more })
	const list = empty
		? []
		: [
				channel('webhook', 'Incident desk', { url: 'https://hooks.bank.example/certwright' }, { rules: { events: ['renewal-failed', 'expiring', 'waiting-for-you'], vendors: [], tags: [], owners: [], search: '' }, status: 'failing', waiting: 2, sent_at: iso(now - 2 * day), reason: { code: 'unreached', title: 'Not reached', detail: 'hooks.bank.example:443 refused the connection', chain: [], remote: null } }),
				channel('email', 'Operations', { host: 'mail.bank.example', port: 587, security: 'starttls', user: 'certwright', password: 'set', from: 'certwright@bank.example', to: ['ops@bank.example'] }, { status: 'ok', tested_at: iso(now - 3 * day), sent_at: iso(now - 3600_000) }),
			]
	if (hostile) list.push(channel('webhook', hostile(), { url: hostile() }, { status: 'failing', reason: { code: 'x', title: hostile(), detail: hostile(), chain: [hostile()], remote: hostile() } }))
	const find = (id) => list.find((c) => c.id === id || String(c.num) === id)
	const tag = { ETag: '"1"' }

	/** True when the request was one of these and is answered. */
	return function answer({ m, json, page, problem, body }) {
		let x
		if (m('GET', /^\/channels$/)) return page(list), true
		if (m('POST', /^\/channels$/)) {
			if (body.kind === 'email' && !body.settings.host) return problem(400, 'Invalid input', "'host' is needed", [{ pointer: '/settings/host', detail: "'host' is needed: the mail server" }]), true
			const c = channel(body.kind, body.name, { ...body.settings, ...(body.settings.password ? { password: 'set' } : {}) }, { rules: body.rules, created_at: iso(Date.now()) })
			list.unshift(c)
			return json(201, { ...c, secret: body.kind === 'webhook' ? 'whsec_bW9jaw==' : null }, tag), true
		}
		if ((x = m('POST', /^\/channels\/([^/]+)\/test$/))) {
			Object.assign(find(x[1]), { status: 'ok', reason: null, tested_at: iso(Date.now()) })
			return json(200, find(x[1]), tag), true
		}
		if (m('GET', /^\/channels\/[^/]+\/messages$/)) return page([{ id: ulid(), event: 'expiring', phase: 'raised', notice_id: null, subject: 'old-portal.bank.example expires in 5 days', state: 'sent', created_at: iso(now - 3600_000), due_at: iso(now - 3600_000), ended_at: iso(now - 3599_000) }]), true
		if ((x = m('GET', /^\/channels\/([^/]+)$/))) return find(x[1]) ? json(200, find(x[1]), tag) : problem(404, 'Not found', 'There is no such channel'), true
		return false
	}
}
