// SPDX-License-Identifier: Apache-2.0
// live.mjs - the page against a real Certwright and a real ACME server (tests/browser/bed): first run by clicking what is
// visible, orders by delegation, HTTP-01, by hand and step by step, export, people and rights, axe and the content policy on
// every page with real data, and a server that stops and comes back.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { axe, launch, open, PAGES, settled, turn, visit } from './browser.mjs'
import { lifeTests } from './live-life.mjs'
import { manyTests } from './live-many.mjs'
import { safeTests } from './live-safe.mjs'
import { small } from './png.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const shots = process.argv.find((a) => a.startsWith('--shots='))?.slice(8)
let passed = 0
let failed = 0

const child = spawn(join(here, 'bed'), { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
const first = await lines.next()
if (first.done) {
	console.log('FAILED  a live server for the browser starts')
	console.log('0 passed, 1 failed, 0 skipped')
	process.exit(1)
}
const bed = JSON.parse(first.value)
const tell = async (word) => {
	child.stdin.write(word + '\n')
	return JSON.parse((await lines.next()).value).done
}

const browser = await launch()
const base = bed.url
const o = await open(browser, base)
const { page, context } = o
const PASSWORD = 'correct horse battery staple'

async function test(name, run) {
	const begun = performance.now()
	const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
	try {
		await run()
		assert.deepEqual(await o.violations(), [])
		passed++
		console.log(`ok      live: ${name} (${seconds()})`)
	} catch (e) {
		failed++
		console.log(`FAILED  live: ${name} (${seconds()})\n        ${String(e.message).replace(/\n/g, '\n        ').slice(0, 2500)}`)
		const where = page.isClosed() ? '' : `${page.url()}\n${(await page.locator('body').innerText().catch(() => '')).slice(0, 1500)}`
		console.log(`        at ${where.replace(/\n/g, '\n        ')}`)
		o.wrong.length = 0
	}
}
async function shot(name) {
	if (!shots) return
	mkdirSync(shots, { recursive: true })
	await settled(page)
	await page.waitForTimeout(200)
	writeFileSync(join(shots, `${name}.png`), small(await page.screenshot()))
}
async function createOrder(names, choose = async () => {}) {
	await visit(page, base, '/orders', 'Orders')
	await page.getByRole('button', { name: 'Create ACME Order' }).first().click()
	await page.getByLabel('Domain Name').fill(names)
	await choose()
	await page.getByRole('dialog').getByRole('button', { name: 'Create ACME Order' }).click()
	await page.getByRole('heading', { level: 1, name: /^Order \d+/ }).waitFor()
}

await test('the first load is under 300 kB over the wire, compressed, and is asked for once', async () => {
	const fresh = await open(browser, base)
	const wire = await fresh.context.newCDPSession(fresh.page)
	await wire.send('Network.enable')
	const what = new Map()
	const came = []
	wire.on('Network.responseReceived', ({ requestId, response }) => what.set(requestId, { url: response.url, coded: response.headers['content-encoding'] ?? response.headers['Content-Encoding'] ?? '' }))
	wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => came.push({ ...what.get(requestId), bytes: encodedDataLength }))
	const heading = fresh.page.getByRole('heading', { level: 1, name: 'Make the first administrator' })
	await fresh.page.goto(`${base}/#setup=${bed.token}`)
	await heading.waitFor()
	await settled(fresh.page)
	await fresh.page.waitForLoadState('networkidle')
	const sum = (list) => list.reduce((n, f) => n + f.bytes, 0)
	console.log(`        first load: ${sum(came)} bytes in ${came.length} answers`)
	assert.ok(came.some((f) => /\.js$/.test(f.url)) && came.some((f) => /\.css$/.test(f.url)), JSON.stringify(came))
	for (const f of came) if (/\.(js|css)$/.test(f.url)) assert.match(f.coded, /gzip|br|zstd/, f.url)
	assert.ok(sum(came) > 50_000 && sum(came) < 300_000, JSON.stringify(came))
	came.length = 0
	await fresh.page.reload()
	await heading.waitFor()
	await fresh.page.waitForLoadState('networkidle')
	assert.ok(sum(came) < 20_000, `what is cached is not sent again: ${JSON.stringify(came)}`)
	await fresh.context.close()
})

await test('a first run needs at most 14 actions from the setup link to the certificate', async () => {
	let actions = 0
	const begun = Date.now()
	const click = async (l) => (actions++, await l.click())
	const fill = async (l, text) => (actions++, await l.fill(text))
	await page.goto(`${base}/#setup=${bed.token}`)
	await page.getByRole('heading', { level: 1, name: 'Make the first administrator' }).waitFor()
	await shot('setup')
	await fill(page.getByLabel('Name'), 'ada')
	await fill(page.getByLabel('Password', { exact: true }), PASSWORD)
	await fill(page.getByLabel('Password again'), PASSWORD)
	await click(page.getByRole('button', { name: 'Make administrator and sign in' }))
	await page.getByRole('heading', { level: 1, name: 'Who is told when something goes wrong?' }).waitFor()
	await shot('told')
	await click(page.getByRole('button', { name: 'Later' }))
	await page.getByText('To the first certificate').waitFor()
	await shot('first-steps')
	await click(page.getByRole('link', { name: 'Register' }))
	await page.getByText(bed.directory).waitFor()
	await fill(page.getByLabel('E-mail'), 'ada@bank.example')
	await click(page.getByLabel(/I agree to the terms/))
	await click(page.getByRole('dialog').getByRole('button', { name: 'Register' }))
	await page.getByRole('table').getByText('valid').waitFor()
	await click(page.getByRole('link', { name: 'Dashboard' }))
	await click(page.getByRole('main').getByRole('link', { name: 'Create ACME Order' }))
	await fill(page.getByLabel('Domain Name'), 'www.bank.test')
	await click(page.getByRole('dialog').getByRole('button', { name: 'Create ACME Order' }))
	await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
	const [file] = await Promise.all([page.waitForEvent('download'), click(page.getByRole('button', { name: 'Download Certificate' }))])
	assert.match(readFileSync(await file.path(), 'utf8'), /^-----BEGIN CERTIFICATE-----[^]*-----BEGIN CERTIFICATE-----/)
	assert.ok(actions <= 14, `${actions} actions`)
	assert.ok(Date.now() - begun < 300_000, `${Date.now() - begun} ms`)
	await shot('order')
})

await test('an order with a wildcard by delegation ends valid, and its story is told', async () => {
	await createOrder('*.apps.bank.test\napps.bank.test')
	await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
	await page.getByRole('heading', { name: 'What happened' }).waitFor()
	await page.locator('.story > li').nth(3).waitFor()
	await page.getByRole('link', { name: 'Show the certificate' }).click()
	await page.getByText('CERTIFICATE').first().waitFor()
	await shot('certificate')
})

await test('an order by http-01 ends valid', async () => {
	await createOrder('shop.bank.test', async () => {
		await page.getByText('http-01', { exact: true }).last().click()
		await page.getByRole('combobox', { name: 'Where the challenge is answered' }).waitFor()
	})
	await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
})

await test('step by step stops at ready until Finalize Order is pressed', async () => {
	await createOrder('step.bank.test', () => page.getByLabel('Step by step').click())
	await page.getByText('Every name is validated. Press Finalize Order to get the certificate.').waitFor()
	await page.getByRole('button', { name: 'Finalize Order' }).click()
	await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
})

await test('a CSR is made by the wizard, ordered, and a CSR that is none is refused at its field', async () => {
	await visit(page, base, '/csrs', 'CSR')
	await page.getByRole('button', { name: 'Create CSR' }).first().click()
	await page.getByLabel('Names').last().fill('csr.bank.test, www.csr.bank.test')
	await page.getByRole('button', { name: 'Next' }).click()
	await page.getByLabel('Organisation', { exact: true }).fill('Example Bank')
	await page.getByLabel('Country').fill('tr')
	await page.getByRole('button', { name: 'Next' }).click()
	await page.getByRole('dialog').getByRole('button', { name: 'Create CSR' }).click()
	await page.getByRole('heading', { level: 1, name: /^CSR \d+/ }).waitFor()
	await shot('csr')
	await page.getByRole('link', { name: 'Create ACME Order' }).click()
	await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('csr.bank.test'))
	await page.getByRole('dialog').getByRole('button', { name: 'Create ACME Order' }).click()
	await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
	await visit(page, base, '/csrs', 'CSR')
	await page.getByRole('button', { name: 'Upload CSR' }).first().click()
	const pem = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'
	await page.getByLabel('CSR (PEM)').fill(pem)
	await page.getByRole('dialog').getByRole('button', { name: 'Upload CSR' }).click()
	await page.locator('.mantine-Textarea-error, .notice[data-tone=bad]').first().waitFor()
	assert.equal((await page.getByLabel('CSR (PEM)').inputValue()).trim(), pem.trim())
})

await test('a CSR is read and judged while it is pasted, with the vendor one chooses, before anything is stored', async () => {
	await visit(page, base, '/csrs?upload', 'CSR')
	const field = page.getByLabel('CSR (PEM)')
	const pem = readFileSync(new URL('../data/csrs/windows-computer.csr', import.meta.url), 'utf8')
	const before = (await (await page.request.get(`${base}/api/v1/csrs`)).json()).items.length
	await field.fill(pem.replace('MII', 'MIX'))
	await page.locator('.mantine-Textarea-error').waitFor()
	await field.fill(pem)
	await page.getByText('The authority will ignore this:').waitFor()
	await page.getByText('Microsoft certificate template name').waitFor()
	assert.equal(await page.locator('.mantine-Textarea-error').count(), 0)
	await page.getByRole('combobox', { name: 'Check against the rules of' }).click()
	await page.locator('.mantine-Select-option', { hasText: /^Google Trust Services$/ }).click()
	await page.getByText('The CSR asks for client authentication, which Google Trust Services refuses').waitFor()
	await shot('csr-upload')
	assert.equal((await (await page.request.get(`${base}/api/v1/csrs`)).json()).items.length, before)
	await page.getByRole('dialog').getByRole('button', { name: 'Upload CSR' }).click()
	await page.getByRole('heading', { level: 1, name: /^CSR \d+/ }).waitFor()
	await page.getByRole('combobox', { name: 'Check against the rules of' }).waitFor()
	await page.getByText('Microsoft certificate template name').waitFor()
})

await test('a token for one certificate is made, shown with it, and revoked', async () => {
	await visit(page, base, '/admin/tokens', 'API tokens')
	await page.getByRole('button', { name: 'Create Token' }).first().click()
	const dialog = page.getByRole('dialog')
	await dialog.getByLabel('Name').fill('host of csr.bank.test')
	await dialog.getByText('Fetches one certificate').click()
	await dialog.getByRole('combobox', { name: 'Certificate' }).fill('csr.bank')
	await page.locator('.mantine-Select-option', { hasText: 'csr.bank.test' }).first().click()
	await shot('token-pull')
	await dialog.getByRole('button', { name: 'Create Token' }).click()
	await page.getByText('It is shown only now.').waitFor()
	await page.getByText('/fullchain').waitFor()
	await page.getByRole('button', { name: 'I have it' }).click()
	await page.getByRole('row', { name: /host of csr\.bank\.test/ }).getByText('fetches one certificate').waitFor()
})

await test('an order by hand waits for a person, shows the record to set, and is deleted', async () => {
	await createOrder('hand.bank.test\n*.hand.bank.test', async () => {
		await page.getByRole('combobox', { name: 'External DNS' }).click()
		await page.locator('.mantine-Select-option', { hasText: 'Manual' }).click()
	})
	await page.getByText('Two values stand at one name, for the name and for its wildcard').waitFor()
	await page.getByText('_acme-challenge.hand.bank.test', { exact: true }).first().waitFor()
	await page.waitForFunction(() => document.title.includes('Waiting for you'))
	await shot('order-waiting')
	await visit(page, base, '/dns-domains', 'Acme DNS Domains')
	await page.getByRole('row', { name: /hand\.bank\.test.*Manual.*Not Ready/ }).first().waitFor()
	await visit(page, base, '/orders', 'Orders')
	await shot('orders')
	await page.getByRole('row', { name: /hand\.bank\.test/ }).getByRole('button', { name: /Actions of order/ }).click()
	await page.getByRole('menuitem', { name: 'Delete Order' }).click()
	await page.getByRole('dialog').getByRole('button', { name: 'Delete Order' }).click()
	await page.getByRole('row', { name: /hand\.bank\.test/ }).waitFor({ state: 'detached' })
})

await test("an order the authority cannot validate ends invalid, with the authority's own words", async () => {
	await createOrder('www.never.test', async () => {
		await page.getByText('http-01', { exact: true }).last().click()
	})
	await page.locator('h1 + * [data-tone=bad], .tone[data-tone=bad]', { hasText: 'invalid' }).first().waitFor()
	await page.getByText(/urn:ietf:params:acme:error:/).first().waitFor()
	assert.equal(await page.getByRole('button', { name: 'Download Certificate' }).count(), 0)
	await shot('order-failed')
	await visit(page, base, '/', 'Dashboard')
	await page.getByRole('region', { name: 'Needs you' }).getByText(/www\.never\.test failed/).waitFor()
})

await test('rights are nobody\u2019s until they are granted, which the page says', async () => {
	await visit(page, base, '/certificates', 'Certificates')
	await page.getByRole('link', { name: 'www.bank.test' }).first().click()
	await page.getByRole('button', { name: 'Export' }).click()
	await page.getByText(/a right that no role has/).waitFor()
	await visit(page, base, '/admin/users', 'Users')
	await page.getByRole('button', { name: /Actions of/ }).first().click()
	await page.getByRole('menuitem', { name: 'Edit' }).click()
	for (const right of [/^audit:/, /^revoke:/, /^key-export:/]) await page.getByRole('checkbox', { name: right }).check()
	await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
	await page.getByRole('cell', { name: 'audit, revoke, key-export' }).waitFor()
})

await test('a certificate is exported with its key, for a reason, and the audit has it', async () => {
	await visit(page, base, '/certificates', 'Certificates')
	await page.getByRole('link', { name: 'www.bank.test' }).first().click()
	await page.getByRole('button', { name: 'Export' }).click()
	await page.getByLabel('With its private key').click()
	await page.getByLabel('Reason').fill('browser test')
	const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('dialog').getByRole('button', { name: 'Export' }).click()])
	assert.match(readFileSync(await file.path(), 'utf8'), /PRIVATE KEY/)
	await visit(page, base, '/activity', 'Activity')
	await page.getByText(/export/).first().waitFor()
	await shot('activity')
})

await lifeTests({ test, base, page, bed, tell, createOrder })

await test('every page with real data passes axe', async () => {
	const found = []
	for (const [name, path, title] of PAGES) {
		await visit(page, base, path, title)
		await shot(name)
		found.push(...(await axe(page)).map((v) => `${name}: ${v}`))
	}
	for (const [path, title] of [['/certificates?sort=expires', 'Certificates'], ['/orders?status=valid', 'Orders'], ['/dns-domains?status=valid', 'Acme DNS Domains'], ['/dns-domains/http?status=withdrawn', 'Acme DNS Domains']]) {
		await visit(page, base, path, title)
		assert.equal(await page.locator('.notice[data-tone=bad]').count(), 0, path)
	}
	await page.goto(`${base}/accounts`)
	await page.getByRole('button', { name: 'Actions of account ada@bank.example' }).click()
	await page.getByRole('menuitem', { name: 'Delete' }).click()
	await page.getByText(/become.* invisible/).waitFor()
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
	await visit(page, base, '/orders/1', 'Order 1')
	found.push(...(await axe(page)).map((v) => `order: ${v}`))
	await visit(page, base, '/certificates/1', '')
	found.push(...(await axe(page)).map((v) => `certificate: ${v}`))
	assert.deepEqual(found, [])
})

await test('a token is made, shown once and revoked', async () => {
	await visit(page, base, '/admin/tokens', 'API tokens')
	await page.getByRole('button', { name: 'Create Token' }).first().click()
	await page.getByRole('dialog').getByLabel('Name').fill('deploy pipeline')
	await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click()
	const token = await page.getByRole('dialog').locator('code').innerText()
	assert.match(token, /^cw_/)
	await page.getByRole('button', { name: 'I have it' }).click()
	await page.getByRole('button', { name: 'Revoke token deploy pipeline' }).click()
	await page.getByRole('dialog').getByRole('button', { name: 'Revoke token' }).click()
	await page.getByRole('table').getByText('revoked').waitFor()
})

await test('a viewer is made, signs in, and sees no button that changes anything', async () => {
	await visit(page, base, '/admin/users', 'Users')
	await page.getByRole('button', { name: 'Add User' }).click()
	await page.getByRole('dialog').getByLabel('Name').fill('vera')
	await page.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click()
	await page.locator('.mantine-Select-option', { hasText: 'viewer' }).click()
	await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD)
	await page.getByRole('dialog').getByRole('button', { name: 'Add User' }).click()
	await page.getByRole('cell', { name: 'vera', exact: true }).waitFor()
	const other = await open(browser, base)
	const unsafe = []
	await other.page.goto(base)
	await other.page.getByLabel('Name').fill('vera')
	await other.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
	await other.page.getByRole('button', { name: 'Sign in' }).click()
	await other.page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
	other.page.on('request', (r) => r.method() !== 'GET' && unsafe.push(`${r.method()} ${r.url()}`))
	for (const [, path, title] of PAGES.filter((p) => p[0] !== 'users')) {
		await turn(other.page, base, path, title)
		for (const name of ['Register', 'Create ACME Order', 'Create CSR', 'Add Delegation', 'Add User']) assert.equal(await other.page.getByRole('main').getByRole('button', { name, exact: true }).count(), 0)
	}
	assert.deepEqual(unsafe, [])
	assert.deepEqual(await other.violations(), [])
	await other.context.close()
})

await safeTests({ test, browser, base, page, context, tell, password: PASSWORD, directory: bed.directory })

await test('when the server stops the page says so within 5 s and comes back by itself', async () => {
	await visit(page, base, '/orders', 'Orders')
	await page.waitForTimeout(500)
	const stopping = tell('stop')
	await page.getByText('The server is not reached').waitFor()
	await stopping
	await tell('start')
	await page.getByText('The server is not reached').waitFor({ state: 'detached' })
	for (let i = 0; i < 5; i++) await page.reload()
	await page.waitForTimeout(4000)
	assert.equal(await page.getByText('The server is not reached').count(), 0, 'pages loaded anew are not taken for a lost server')
	await page.getByRole('link', { name: 'www.bank.test' }).first().waitFor()
})

await manyTests({ test, base, page, tell })

await test('signing out ends the session', async () => {
	await page.getByText('ada', { exact: true }).click()
	await page.getByRole('menuitem', { name: 'Sign out' }).click()
	await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
	assert.equal((await context.request.get(`${base}/api/v1/session`)).status(), 401)
})

await browser.close()
child.stdin.end()
await new Promise((r) => child.on('exit', r))
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exit(failed ? 1 : 0)
