// SPDX-License-Identifier: Apache-2.0
// mock-dns.mjs - External DNS, targets of http-01, validation rules and debts of the mock: data, and answers to their requests.

const KINDS = [
	{
		name: 'powerdns', title: 'PowerDNS', help: 'The HTTP API of a PowerDNS Authoritative Server, plain or behind a TLS proxy; a hidden primary is fine.',
		rights: 'PowerDNS has one API key for everything (api-key in pdns.conf). webserver-allow-from should let in this server only.', site: 'https://doc.powerdns.com/authoritative/http-api/',
		validations: ['dns-01'], lists_zones: true,
		fields: [
			{ name: 'url', label: 'API address', input: 'url', help: 'http://host:8081 or the https address of a proxy in front of it, without /api', required: true, endpoint: true, default: null, choices: [], min: 0, max: 1024 },
			{ name: 'api_key', label: 'API key', input: 'secret', help: 'api-key of pdns.conf', required: true, endpoint: false, default: null, choices: [], min: 0, max: 1024 },
			{ name: 'server', label: 'Server', input: 'text', help: 'server id of the API; localhost but for special proxies', required: false, endpoint: false, default: 'localhost', choices: [], min: 0, max: 64 },
		],
	},
	{
		name: 'cloudflare', title: 'Cloudflare', help: 'Cloudflare DNS by an API token.', rights: 'Zone:Read and DNS:Edit, for the zones that are meant.', site: null, validations: ['dns-01'], lists_zones: true,
		fields: [{ name: 'token', label: 'API token', input: 'secret', help: 'My Profile, API Tokens', required: true, endpoint: false, default: null, choices: [], min: 0, max: 1024 }],
	},
	{
		name: 'f5', title: 'F5 BIG-IP', help: 'A data group of the device, read by one iRule on the virtual servers.', rights: 'A user with the role Resource Administrator in the partition of the data group.', site: null, validations: ['http-01'], lists_zones: false, attaches: true,
		fields: [
			{ name: 'url', label: 'Management address', input: 'url', help: 'https address of the device or its floating address', required: true, endpoint: true, default: null, choices: [], min: 0, max: 1024 },
			{ name: 'password', label: 'Password', input: 'secret', help: 'of the user above', required: true, endpoint: false, default: null, choices: [], min: 0, max: 1024 },
		],
	},
]

const REFUSED = { code: 'unauthenticated', title: 'Sign-in needed', detail: 'Cloudflare does not accept the credential (HTTP 403)', chain: [], hint: 'Check that the credential is still valid and has the rights that are listed beside its form.', remote: 'Authentication error' }

export function makeExternalDns({ empty, now, iso, ulid }) {
	const day = 86_400_000
	const provider = (num, kind, name, more) => ({ id: ulid(), num, kind, title: KINDS.find((k) => k.name === kind).title, name, fields: {}, connection: null, status: 'new', reason: null, tested_at: null, test: null, zones: [], probe_label: '_acme-challenge.certwright-test-4be51c09aa', probe_value: '9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI', created_at: iso(now - 9 * day), updated_at: iso(now - day), ...more })
	const providers = empty
		? []
		: [
				provider(3, 'f5', 'Edge balancer', { fields: { url: 'https://bigip.inside.bank.example', password: 'set' }, status: 'ok', tested_at: iso(now - day), test: { remote: { address: 'https://bigip.inside.bank.example', host: 'bigip1.inside.bank.example', version: '17.5.1', state: 'active', sync: 'In Sync', servers: [{ name: '/Common/shop_80', address: '198.51.100.23', port: 80, http_profile: '/Common/http', enabled: true, attached: true, unfit: null, rules: ['/Common/certwright_acme'], rules_attached: [], rules_detached: [] }] } } }),
				provider(2, 'cloudflare', 'Marketing', { fields: { token: 'set' }, status: 'refused', reason: REFUSED, tested_at: iso(now - 3 * day), zones: ['bank-promo.example'] }),
				provider(1, 'powerdns', 'Data centre', { fields: { url: 'https://pdns.inside.bank.example', api_key: 'set', server: 'localhost' }, status: 'ok', tested_at: iso(now - 2 * day), zones: ['bank.example', 'inside.bank.example', 'pay.bank.example', 'lab.bank.example'] }),
			]
	const rules = empty ? [] : [{ id: ulid(), num: 2, suffix: 'shop.bank.example', vendor: '', validation: 'dns-01', method: 'manual', method_title: 'Manual', method_name: 'Manual', created_at: iso(now - 2 * day) }, { id: ulid(), num: 1, suffix: 'inside.bank.example', vendor: '', validation: 'dns-01', method: providers.find((p) => p.kind === 'powerdns').id, method_title: 'PowerDNS', method_name: 'Data centre', created_at: iso(now - 5 * day) }]
	const debts = empty
		? []
		: [
				{ id: ulid(), kind: 'withdraw-dns', order_id: ulid(), order_num: 14, type: 'Cloudflare', provider: 'Marketing', name: '_acme-challenge.www.bank-promo.example', zone: 'bank-promo.example', value: '9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI', held: false, set_aside: true, attempts: 9, next_at: null, reason: REFUSED, created_at: iso(now - 8 * day) },
				{ id: ulid(), kind: 'withdraw-dns', order_id: ulid(), order_num: 21, type: 'PowerDNS', provider: 'Data centre', name: '_acme-challenge.pay.bank.example', zone: 'pay.bank.example', value: 'LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0', held: true, set_aside: false, attempts: 0, next_at: null, reason: null, created_at: iso(now - 60_000) },
			]

	/** True when the request was one of these and is answered. */
	return function answer({ m, json, page, problem, body }) {
		const tag = { ETag: '"1"' }
		let x
		if (m('GET', /^\/provider-kinds$/)) return json(200, { items: KINDS }), true
		if (m('GET', /^\/providers$/)) return page(providers), true
		if (m('POST', /^\/providers$/)) {
			const kind = KINDS.find((k) => k.name === body.kind)
			const missing = kind.fields.find((f) => f.required && !body.fields[f.name])
			if (missing) return problem(400, 'Invalid input', `'${missing.name}' is needed`, [{ pointer: `/fields/${missing.name}`, detail: `'${missing.name}' is needed: ${missing.help}` }]), true
			const p = provider(providers.length + 1, body.kind, body.name, { fields: Object.fromEntries(kind.fields.map((f) => [f.name, f.input === 'secret' ? 'set' : (body.fields[f.name] ?? null)])) })
			providers.unshift(p)
			return json(201, p, tag), true
		}
		if ((x = m('POST', /^\/providers\/([^/]+)\/test$/))) {
			const p = providers.find((y) => y.id === x[1])
			Object.assign(p, { status: 'ok', reason: null, tested_at: iso(Date.now()), zones: p.zones.length ? p.zones : ['bank.example', 'lab.bank.example'], test: { zones: p.zones, name: body.zone ? `${p.probe_label}.${body.zone}` : null, seen: body.zone ? true : null, servers: body.zone ? '2 of 2 servers have it' : null } })
			return json(200, p, tag), true
		}
		if ((x = m('GET', /^\/providers\/([^/]+)$/))) return json(200, { ...providers.find((y) => y.id === x[1]), used_by: [] }, tag), true
		if (m('GET', /^\/challenge-texts$/))
			return json(200, { host: 'acme.bank.example', items: [
				{ name: 'nginx', way: 'redirect', title: 'nginx', help: 'In the server block of port 80.', text: 'location /.well-known/acme-challenge/ {\n\treturn 302 http://acme.bank.example$request_uri;\n}\n' },
				{ name: 'nginx', way: 'forward', title: 'nginx', help: 'In the server block of port 80.', text: 'location /.well-known/acme-challenge/ {\n\tproxy_pass http://acme.bank.example;\n\tproxy_set_header Host $host;\n}\n' },
				{ name: 'haproxy', way: 'redirect', title: 'HAProxy', help: 'In the frontend of port 80.', text: 'http-request redirect prefix http://acme.bank.example code 302 if { path_beg /.well-known/acme-challenge/ }\n' },
			] }), true
		if (m('GET', /^\/rules$/)) return page(rules), true
		if (m('GET', /^\/debts$/)) return page(debts), true
		if (m('POST', /^\/orders\/preview$/)) {
			const all = body.dns ?? body.http ?? null
			const names = body.names.map((name) => {
				const own = body.methods?.[name]
				const rule = rules.find((r) => name.endsWith(r.suffix))
				const method = own ?? all ?? rule?.method ?? 'manual'
				const p = providers.find((y) => y.id === method)
				const title = p?.title ?? { delegation: 'Delegation', manual: 'Manual', builtin: 'Built-in' }[method]
				const offers = providers.filter((y) => y.zones.some((z) => name.endsWith(z))).map((y) => ({ id: y.id, name: y.name, title: y.title, zone: y.zones[0] }))
				const by = own ? 'name' : all ? 'order' : rule ? 'rule' : 'default'
				return { name, method, method_title: title, method_name: p?.name ?? title, by, rule_id: by === 'rule' ? rule.id : null, offers, ask: by === 'default' && offers.length > 0 }
			})
			return json(200, { names }), true
		}
		return false
	}
}
