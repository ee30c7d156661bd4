// SPDX-License-Identifier: Apache-2.0
// mock-dns.mjs - External DNS, targets of http-01, validation rules and debts of the mock: data, and answers to their requests.

const field = (name, label, input, help, more) => ({ name, label, input, multiline: input === 'lines', help, required: false, endpoint: false, default: null, choices: [], min: 0, max: 1024, ...more })
const needed = { required: true }
const endpoint = { required: true, endpoint: true }

const KINDS = [
	{
		name: 'powerdns', title: 'PowerDNS', help: 'The HTTP API of a PowerDNS Authoritative Server, plain or behind a TLS proxy; a hidden primary is fine.',
		rights: 'PowerDNS has one API key for everything (api-key in pdns.conf). webserver-allow-from should let in this server only.', site: 'https://doc.powerdns.com/authoritative/http-api/',
		grants: [{ where: 'pdns.conf', language: 'text', text: 'api=yes\napi-key=...\n' }],
		fields: [
			field('url', 'API address', 'url', 'http://host:8081 or the https address of a proxy in front of it, without /api', endpoint),
			field('api_key', 'API key', 'secret', 'api-key of pdns.conf', needed),
			field('server', 'Server', 'text', 'server id of the API; localhost but for special proxies', { default: 'localhost', max: 64 }),
		],
	},
	{
		name: 'cloudflare', title: 'Cloudflare', help: 'Cloudflare DNS by an API token.', rights: 'Zone:Read and DNS:Edit, for the zones that are meant.',
		fields: [field('token', 'API token', 'secret', 'My Profile, API Tokens', needed)],
	},
	{
		name: 'akamai', title: 'Akamai', help: 'Record sets of Akamai Edge DNS, with an EdgeGrid credential.', rights: 'The API "DNS-Zone Record Management" at level READ-WRITE.',
		fields: [
			field('edgerc', '.edgerc', 'secret', 'The credential file as Akamai Control Center hands it out, pasted whole; instead of the four fields below', { multiline: true, max: 16384 }),
			field('section', 'Section of the .edgerc', 'text', 'Needed when it has several and none is called default', { max: 64 }),
			field('client_secret', 'Client secret', 'secret', 'Shown once, when the credential is made'),
		],
	},
	{
		name: 'route53', title: 'Route 53', help: 'Hosted zones of Amazon Route 53.', rights: 'route53:ChangeResourceRecordSets on the zones in question.',
		fields: [
			field('access_key_id', 'Access key id', 'text', 'AKIA…, or ASIA… with a session token', needed),
			field('secret_access_key', 'Secret access key', 'secret', 'of that key', needed),
			field('session_token', 'Session token', 'secret', 'Only with temporary credentials', { max: 16384 }),
		],
	},
	{
		name: 'acmesh', title: 'acme.sh hook', help: 'A DNS hook of acme.sh from your own copy of it, run unchanged in a process with limits.', rights: "What the hook's documentation says.", options_field: 'options',
		fields: [
			field('program', 'Program', 'program', 'The acme.sh of this host, as the administrator has named it in [programs] of the configuration file', { ...endpoint, choices: ['acme-sh', 'dns-hook'], max: 64 }),
			field('hook', 'Hook', 'text', 'Name of the file in its folder dnsapi without .sh: dns_pdns', { ...endpoint, max: 64 }),
			field('options', 'Options', 'secret', "What the hook's documentation asks for, NAME=value, one a line", { multiline: true, max: 16384 }),
		],
	},
	{
		name: 'webroot', title: 'Web root', help: 'A file below the document root of a web server: .well-known/acme-challenge/TOKEN, removed afterwards.', rights: 'The user that Certwright runs as may write below the web root.', validations: ['http-01'],
		fields: [field('webroot', 'Web root', 'webroot', "One of those that the host's administrator has named in [webroots] of the configuration file", { required: true, choices: ['intranet', 'shop'], max: 32 })],
	},
	{
		name: 'f5', title: 'F5 BIG-IP', help: 'A data group of the device, read by one iRule on the virtual servers.', rights: 'A user with the role manager on the partition.', validations: ['http-01'], attaches: true,
		fields: [
			field('url', 'Management address', 'url', 'https://host of the management port', endpoint),
			field('peers', 'Other units', 'lines', 'Management addresses of the other units of the device group, one a line', { endpoint: true, max: 2048 }),
			field('username', 'User', 'text', 'A user of its own, see the right it needs', { ...needed, max: 128 }),
			field('password', 'Password', 'secret', 'Of that user; only used to get a token, which is given back', needed),
			field('partition', 'Partition', 'text', 'Where data group and iRule are', { default: 'Common', max: 64 }),
			field('data_group', 'Data group', 'text', 'Internal data group of strings; made when it is missing', { default: 'certwright_acme', max: 60 }),
			field('save', 'Save configuration', 'boolean', 'After each change; not needed for tokens, which live for minutes', { default: 'false' }),
			field('sync', 'Copy to the device group', 'text', "clean: only when nobody else's changes are pending; always: theirs go along", { default: 'no', choices: ['no', 'clean', 'always'] }),
			field('device_group', 'Device group', 'text', 'Name of the sync-failover group, for copying', { max: 64 }),
		],
	},
].map((k) => ({ site: null, validations: ['dns-01'], lists_zones: !k.validations && k.name !== 'acmesh', reads: k.name !== 'acmesh', grants: [], attaches: false, options_field: null, ...k }))

/* What the hooks of the copy say of themselves. */
const HOOKS = {
	dns_pdns: { title: 'PowerDNS', site: 'https://docs.powerdns.com', options: [['PDNS_Url', 'API URL. E.g. "http://ns.example.com:8081"', null, true], ['PDNS_Token', 'API Token', null, true], ['PDNS_Ttl', 'Domain TTL. Default: "60".', '60', false]] },
	dns_mydevil: { title: 'MyDevil.net', site: null, options: [] },
}
const hookAnswer = ({ title, site, options }) => ({ title, site, options: options.map(([name, help, standard, required]) => ({ name, help, default: standard, required, given: false })) })

const REFUSED = { code: 'unauthenticated', title: 'Sign-in needed', detail: 'Cloudflare does not accept the credential (HTTP 403)', chain: [], hint: 'Check that the credential is still valid and has the rights that are listed beside its form.', remote: 'Authentication error' }

export function makeExternalDns({ empty, now, iso, ulid, state }) {
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
		if (m('POST', /^\/provider-options$/)) {
			;(state.asked ??= []).push(body)
			const kind = KINDS.find((k) => k.name === body.kind)
			const secret = kind.fields.find((f) => f.input === 'secret' && f.name in body.fields)
			if (secret) return problem(400, 'Invalid input', 'no secret is needed to ask what a provider needs', [{ pointer: '/fields', detail: 'no secret is needed' }]), true
			const missing = kind.fields.find((f) => f.required && !body.fields[f.name])
			if (missing) return problem(400, 'Invalid input', `'${missing.name}' is needed`, [{ pointer: `/fields/${missing.name}`, detail: `'${missing.name}' is needed` }]), true
			const hook = HOOKS[body.fields.hook]
			if (!hook) return problem(400, 'Invalid input', `could not ask what the provider needs: acme.sh, the program '${body.fields.program}', has no hook '${body.fields.hook}'`), true
			return json(200, hookAnswer(hook)), true
		}
		if (m('GET', /^\/providers$/)) return page(providers), true
		if (m('POST', /^\/providers$/)) {
			const kind = KINDS.find((k) => k.name === body.kind)
			const missing = kind.fields.find((f) => f.required && !body.fields[f.name])
			if (missing) return problem(400, 'Invalid input', `'${missing.name}' is needed`, [{ pointer: `/fields/${missing.name}`, detail: `'${missing.name}' is needed: ${missing.help}` }]), true
			state.saved = body
			const p = provider(providers.length + 1, body.kind, body.name, { fields: Object.fromEntries(kind.fields.map((f) => [f.name, f.input === 'secret' ? 'set' : (body.fields[f.name] ?? null)])) })
			providers.unshift(p)
			return json(201, p, tag), true
		}
		if ((x = m('POST', /^\/providers\/([^/]+)\/test$/))) {
			const p = providers.find((y) => y.id === x[1])
			;(state.tested ??= []).push(body)
			if (KINDS.find((k) => k.name === p.kind).validations.includes('http-01')) {
				const remote = p.kind === 'webroot' ? { directory: `/srv/www/${p.fields.webroot}` } : (p.test?.remote ?? { address: p.fields.url, host: 'bigip2.inside.bank.example', version: '17.5.1', state: 'active', sync: 'In Sync', servers: [] })
				Object.assign(p, { status: 'ok', reason: null, tested_at: iso(Date.now()), test: { ...p.test, remote } })
				return json(200, p, tag), true
			}
			Object.assign(p, { status: 'ok', reason: null, tested_at: iso(Date.now()), zones: p.zones.length ? p.zones : ['bank.example', 'lab.bank.example'], test: { zones: p.zones, name: body.zone ? `${p.probe_label}.${body.zone}` : null, seen: body.zone ? true : null, servers: body.zone ? '2 of 2 servers have it' : null } })
			return json(200, p, tag), true
		}
		if ((x = m('POST', /^\/providers\/([^/]+)\/attach$/))) {
			const server = providers.find((y) => y.id === x[1]).test.remote.servers.find((v) => v.name === body.server)
			if (JSON.stringify(body.expect) !== JSON.stringify(server.rules)) return problem(409, 'Conflicting state', 'the rules have changed since'), true
			const rules = { before: server.rules, after: body.attach ? server.rules_attached : server.rules_detached }
			Object.assign(server, body.attach ? { attached: true, rules_detached: server.rules } : { attached: false, rules_attached: server.rules }, { rules: rules.after })
			return json(200, rules), true
		}
		if ((x = m('PATCH', /^\/providers\/([^/]+)$/))) {
			const p = providers.find((y) => y.id === x[1])
			state.saved = body
			Object.assign(p, { name: body.name ?? p.name, fields: { ...p.fields, ...body.fields } })
			return json(200, p, { ETag: '"2"' }), true
		}
		if ((x = m('GET', /^\/providers\/([^/]+)$/))) return json(200, { ...providers.find((y) => y.id === x[1]), used_by: [] }, tag), true
		if (m('GET', /^\/challenge-texts$/))
			return json(200, { host: 'acme.bank.example', items: [
				{ name: 'nginx', way: 'redirect', title: 'nginx', help: 'In the server block of port 80.', text: 'location /.well-known/acme-challenge/ {\n\treturn 302 http://acme.bank.example$request_uri;\n}\n' },
				{ name: 'nginx', way: 'forward', title: 'nginx', help: 'In the server block of port 80.', text: 'location /.well-known/acme-challenge/ {\n\tproxy_pass http://acme.bank.example;\n\tproxy_set_header Host $host;\n}\n' },
				{ name: 'haproxy', way: 'redirect', title: 'HAProxy', help: 'In the frontend of port 80.', text: 'http-request redirect prefix http://acme.bank.example code 302 if { path_beg /.well-known/acme-challenge/ }\n' },
			] }), true
		if (m('POST', /^\/delegation-list$/)) {
			if (body.zone && !body.provider_id) return problem(400, 'Invalid input', 'names that lead into a zone need the provider that writes it', [{ pointer: '/provider_id', detail: 'needed' }]), true
			;(state.pasted ??= []).push(body)
			const row = (typed, target, line) => {
				const name = typed.replace(/^\*\./, '')
				const leads = body.provider_id ? (target ?? (body.zone ? `_acme-challenge.${name}.${body.zone}` : null)) : null
				const bad = name.includes('!') ? `'${typed}' is not a domain name` : body.provider_id && !leads ? `it is not said where '${name}' leads` : null
				return { line, typed, id: bad ? null : ulid(), name: bad ? null : name, target: leads, result: bad ? 'refused' : 'made', detail: bad }
			}
			return json(200, { items: body.text.split('\n').map((l, i) => [l.trim().split(/\s+/), i + 1]).filter(([words]) => words[0]).map(([[name, target], line]) => row(name, target, line)) }), true
		}
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
