// SPDX-License-Identifier: Apache-2.0
// live-safe.mjs - a real server against hostile text and curious people: three hundred payloads in every stored field that takes
// text, a viewer who presses everything, axe in the dark and on a narrow screen, and that a broken content policy is noticed at all.
import assert from 'node:assert/strict'
import { axe, open, PAGES, settled, turn } from './browser.mjs'
import { crawl } from './crawl.mjs'
import { everyField } from './live-fields.mjs'
import { PAYLOADS } from './payloads.mjs'

/** Pages that show what is stored, and how many rows each must show at least. */
const LISTS = ['/', '/accounts', '/orders', '/certificates', '/renewals', '/csrs', '/external-dns', '/http-challenge', '/notifications', '/activity', '/activity/jobs', '/admin/users', '/admin/tokens', '/admin/vendors', '/admin/network', '/admin/status', '/dns-domains', '/dns-domains/delegations']

/** The API with the rights of the page's session, as its scripts have them. */
async function asSession(context, base) {
	const { csrf_token } = await (await context.request.get(`${base}/api/v1/session`)).json()
	const ask = async (method, path, data, headers = {}) => {
		const r = await context.request.fetch(`${base}/api/v1${path}`, { method, data, headers: { 'X-CSRF-Token': csrf_token, ...headers } })
		return { status: r.status(), etag: r.headers().etag, body: await r.json().catch(() => null) }
	}
	return ask
}

/** Stores each payload in every field that takes it. What the server refuses is refused with 400 and is no field for it. */
async function store(ask, certificates) {
	const stored = {}
	const many = async (what, run) => {
		stored[what] = 0
		for (let i = 0; i < PAYLOADS.length; i += 8) {
			const answers = await Promise.all(PAYLOADS.slice(i, i + 8).map((p, k) => run(p, i + k)))
			for (const a of answers) {
				assert.ok([200, 201, 202, 400, 409, 429].includes(a.status), `${what}: ${a.status} ${JSON.stringify(a.body)}`)
				if (a.status < 300) stored[what]++
			}
		}
	}
	await many('csr', (p) => ask('POST', '/csrs', { names: ['xss.bank.test'], organization: p.slice(0, 64), organizational_unit: p.slice(-64), state: p.slice(0, 128), locality: p.slice(-128) }))
	await many('provider', (p, i) => ask('POST', '/providers', { kind: 'powerdns', name: `${p}`.slice(0, 96) + i, fields: { url: 'https://pdns.bank.test:8443', api_key: p, server: 'localhost' } }))
	await many('channel', (p, i) => ask('POST', '/channels', { kind: 'webhook', name: `${p}`.slice(0, 96) + i, enabled: false, settings: { url: `https://hooks.bank.test/${i}` } }))
	await many('token', (p) => ask('POST', '/tokens', { name: p.slice(0, 64), role: 'viewer' }))
	await many('view', (p, i) => ask('POST', '/views', { name: `${p}`.slice(0, 96) + i, kind: 'servers', servers: ['127.0.0.1:1'] }))
	/* One after another; each stays in the audit, the last one where it was written. */
	const oneByOne = async (what, run) => {
		stored[what] = 0
		for (const p of PAYLOADS) {
			const a = await run(p)
			assert.ok([200, 204, 400, 409].includes(a.status), `${what}: ${a.status} ${JSON.stringify(a.body)}`)
			if (a.status < 300) stored[what]++
		}
	}
	const account = (await ask('GET', '/accounts?limit=1')).body.items[0]
	await oneByOne('account', async (p) => ask('PATCH', `/accounts/${account.id}`, { name: p.slice(0, 128), preferred_issuer: p.slice(0, 200) }, { 'If-Match': (await ask('GET', `/accounts/${account.id}`)).etag }))
	await oneByOne('reason', (p) => ask('PUT', '/renewal-pause', { stopped: true, reason: p.slice(0, 256) }))
	await many('window', (p, i) => ask('POST', '/renewal-windows', { name: `${p}`.slice(0, 90) + i, cron: '0 2 * * sat', minutes: 60, zone: 'UTC' }))
	stored.certificate = 0
	for (const content of certificates) {
		const r = await ask('POST', '/imports', { content, owner: PAYLOADS[stored.certificate % 300].slice(0, 254)})
		assert.ok([200, 400].includes(r.status), `import: ${r.status} ${JSON.stringify(r.body)}`)
		stored.certificate += r.body.items?.filter((x) => x.certificate_id).length ?? 0
	}
	const list = (await ask('GET', '/certificates?limit=200')).body.items
	let turn = 0
	stored.note = 0
	for (const c of list) {
		const at = (turn += 3)
		const one = await ask('GET', `/certificates/${c.id}`)
		const body = { tags: ['edge'], owner: PAYLOADS[at % 300].slice(0, 254), notes: [0, 1, 2, 3, 4, 5, 6].map((k) => PAYLOADS[(at + 1 + k) % 300]).join('\n').slice(0, 1024) }
		const r = await ask('PATCH', `/certificates/${c.id}`, body, { 'If-Match': one.etag })
		if (r.status === 200) stored.note++
		else assert.equal(r.status, 400, JSON.stringify(r.body))
	}
	return stored
}

/** Nothing ran, and nothing of the payloads became a part of the page. */
async function clean(page, where, dialogs) {
	const got = await page.evaluate(() => ({ pwned: window.pwned, foreign: document.querySelectorAll('img, iframe, object, main script, svg script, a[href^="javascript" i], a[href^="data:" i]').length, shown: document.body.innerText.includes('<') }))
	assert.deepEqual({ pwned: got.pwned, foreign: got.foreign, dialogs }, { pwned: undefined, foreign: 0, dialogs: [] }, where)
	return got.shown
}

export async function safeTests({ test, browser, base, page, context, tell, password, directory }) {
	await test('a violation of the content policy is noticed, so that none of these tests can pass by not looking', async () => {
		const o = await open(browser, base)
		await o.page.goto(base)
		await o.page.getByRole('heading', { level: 1 }).waitFor()
		await o.page.evaluate(() => {
			const s = document.createElement('img')
			s.src = 'https://elsewhere.invalid/x.png'
			document.body.append(s)
		})
		await o.page.waitForFunction(() => window.violations.length > 0)
		const found = await o.violations()
		assert.ok(found.some((v) => v.includes('img-src')), found.join('\n'))
		await o.context.close()
	})

	const looks = [
		['in the dark', { scheme: 'dark' }],
		['at 360 pixels', { width: 360, height: 740 }],
	]
	/* They change nothing, so that both may look at once. */
	await Promise.all(looks.map(([look, options]) =>
		test(`every page with real data passes axe ${look}`, async () => {
			const o = await open(browser, base, { ...options, storageState: await context.storageState() })
			const found = []
			for (const [name, path, title] of [...PAGES, ['order', '/orders/1', 'Order 1'], ['certificate', '/certificates/1', /./]]) {
				await turn(o.page, base, path, title)
				found.push(...(await axe(o.page)).map((v) => `${name}: ${v}`))
				const over = await o.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
				if (over > 0) found.push(`${name}: scrolls ${over} px sideways`)
			}
			assert.deepEqual([...found, ...(await o.violations())], [])
			await o.context.close()
		}),
	))

	await test('three hundred payloads in every stored field execute nothing', async () => {
		const ask = await asSession(context, base)
		const took = await everyField(ask, { directory })
		const taken = Object.keys(took).filter((f) => took[f] > 0)
		console.log(`        fields of the contract: ${Object.keys(took).length}, of which ${taken.length} took some text: ${taken.join(', ')}`)
		assert.ok(Object.keys(took).length >= 100 && taken.length >= 25, JSON.stringify(took))
		const stored = await store(ask, await tell(`certificates ${JSON.stringify(PAYLOADS)}`))
		console.log(`        stored: ${JSON.stringify(stored)}`)
		/* The rest has control characters or is longer than the field, which the server says. */
		for (const what of ['csr', 'token', 'view', 'certificate', 'note']) assert.ok(stored[what] >= 150, `${what}: ${JSON.stringify(stored)}`)
		for (const what of ['account', 'reason']) assert.ok(stored[what] >= 150, `${what}: ${JSON.stringify(stored)}`)
		assert.ok(stored.window >= 10, JSON.stringify(stored))
		assert.ok(stored.channel >= 20 && stored.provider >= 20, JSON.stringify(stored)) // there is a limit to how many there may be
		const dialogs = []
		page.on('dialog', (d) => (dialogs.push(d.message()), d.dismiss()))
		await page.evaluate(() => localStorage.setItem('cw-rows', '"200"'))
		let shown = 0
		for (const path of LISTS) {
			await turn(page, base, path)
			for (let n = 1; ; n++) {
				await settled(page)
				if (await clean(page, `${path}, page ${n}`, dialogs)) shown++
				const next = page.getByRole('button', { name: 'Next page' }).first()
				if (n === 3 || !(await next.count()) || (await next.isDisabled())) break
				await next.click()
				await page.getByText(`Page ${n + 1}`).waitFor()
			}
		}
		const nums = async (path) => (await ask('GET', `${path}?limit=30`)).body.items.map((x) => `${path}/${x.num}`)
		for (const path of [...(await nums('/certificates')), ...(await nums('/csrs'))]) {
			await turn(page, base, path)
			if (await clean(page, path, dialogs)) shown++
		}
		assert.ok(shown > 60, `payloads were seen as text on ${shown} pages only`)
		await page.evaluate(() => localStorage.removeItem('cw-rows'))
		assert.equal((await ask('PUT', '/renewal-pause', { stopped: false })).status, 200)
	})

	await test('a viewer who visits every page and presses everything sends nothing but GET, is handed no secret and meets no dead button', async () => {
		const o = await open(browser, base)
		await o.page.goto(base)
		await o.page.getByLabel('Name').fill('vera')
		await o.page.getByLabel('Password', { exact: true }).fill(password)
		await o.page.getByRole('button', { name: 'Sign in' }).click()
		await o.page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
		const ask = await asSession(o.context, base)
		const nums = async (path, n) => (await ask('GET', `${path}?limit=${n}`)).body.items.map((x) => `${path}/${x.num}`)
		const orders = (await ask('GET', '/orders?limit=50')).body.items
		const kinds = [...new Map(orders.map((x) => [`${x.status} ${x.validation}`, `/orders/${x.num}`])).values()]
		const found = await crawl(o.page, base, [...PAGES.filter((p) => p[0] !== 'users').map((p) => p[1]), ...kinds, '/certificates/1', ...(await nums('/certificates', 1)), ...(await nums('/csrs', 1))])
		assert.deepEqual({ dead: found.dead, sent: found.sent, secrets: found.secrets }, { dead: [], sent: [], secrets: [] })
		assert.ok(found.pressed > 20, `${found.pressed} pressed`)
		assert.deepEqual(await o.violations(), [])
		await o.context.close()
	})
}
