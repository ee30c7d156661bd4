// SPDX-License-Identifier: Apache-2.0
// shots.mjs - a picture of each page: node tests/browser/shots.mjs OUT [--dark] [--narrow]. Without a server of its own
// (CERTWRIGHT_URL with CERTWRIGHT_NAME and CERTWRIGHT_PASSWORD) it shows the pages over the mock.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open, PAGES, settled, visit } from './browser.mjs'
import { makeMock } from './mock.mjs'
import { small } from './png.mjs'

const out = process.argv[2] ?? 'docs/screenshots'
const dark = process.argv.includes('--dark')
const narrow = process.argv.includes('--narrow')
const only = process.argv.find((a) => a.startsWith('--only='))?.slice(7).split(',')
const size = narrow ? { width: 360, height: 780 } : { width: 1280, height: 860 }
mkdirSync(out, { recursive: true })
const browser = await launch()

async function shot(page, name, full = false) {
	if (only && !only.includes(name)) return
	await settled(page)
	await page.waitForTimeout(250)
	const png = await page.screenshot({ fullPage: full || narrow })
	writeFileSync(join(out, `${name}${dark ? '-dark' : ''}${narrow ? '-narrow' : ''}.png`), small(png))
	console.log(name)
}

{
	const mock = makeMock({ empty: true })
	const base = `http://127.0.0.1:${await mock.listen()}`
	const { page } = await open(browser, base, { scheme: dark ? 'dark' : 'light', ...size })
	await page.goto(`${base}/#setup=test-setup-token`)
	await page.getByRole('heading', { level: 1 }).waitFor()
	await shot(page, 'setup')
	await page.getByLabel('Name').fill('ada')
	await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
	await page.getByLabel('Password again').fill('correct horse battery')
	await page.getByRole('button', { name: 'Make administrator' }).click()
	await page.getByRole('button', { name: 'Later' }).waitFor()
	await shot(page, 'told')
	await page.getByRole('button', { name: 'Later' }).click()
	await page.getByText('To the first certificate').waitFor()
	await shot(page, 'first-steps')
	await mock.close()
}
{
	const mock = makeMock({ signedIn: true })
	const base = `http://127.0.0.1:${await mock.listen()}`
	const { page } = await open(browser, base, { scheme: dark ? 'dark' : 'light', ...size })
	for (const [name, path, title] of PAGES) {
		if (only && !only.includes(name)) continue
		await visit(page, base, path, title)
		await shot(page, name)
	}
	if (!only || only.includes('csr-upload')) {
		await visit(page, base, '/csrs?upload', 'CSR')
		await page.getByLabel('CSR (PEM)').fill('-----BEGIN CERTIFICATE REQUEST-----\nMIIBGjCBwQIBADAfMR0wGwYDVQQDDBRkZXZpY2UuYmFuay5leGFtcGxlMFkwEwYH\n-----END CERTIFICATE REQUEST-----\n')
		await page.getByText('The authority will ignore this:').waitFor()
		await shot(page, 'csr-upload')
	}
	if (!only || only.some((o) => o.startsWith('bulk'))) {
		const dialog = page.getByRole('dialog')
		await visit(page, base, '/certificates?q=bank', 'Certificates')
		await page.getByRole('button', { name: 'With all that the search finds' }).click()
		await page.getByRole('menuitem', { name: 'Renew', exact: true }).click()
		await dialog.getByRole('button', { name: 'See what will happen' }).click()
		await dialog.getByText('is only watched').first().waitFor()
		await shot(page, 'bulk')
		await dialog.getByRole('button', { name: /^Renew \d+/ }).click()
		await dialog.getByText(/done or under way/).waitFor()
		await visit(page, base, '/activity/jobs', 'Activity')
		await shot(page, 'bulk-job')
		await page.getByRole('button', { name: /done, .* refused/ }).first().click()
		await dialog.getByRole('table').waitFor()
		await shot(page, 'bulk-result')
	}
	if (!only || only.includes('token-pull')) {
		await visit(page, base, '/admin/tokens', 'API tokens')
		await page.getByRole('button', { name: 'Create Token' }).first().click()
		await page.getByText('Fetches one certificate').click()
		await shot(page, 'token-pull')
	}
	const find = (f) => mock.db.orders.find(f).num
	await visit(page, base, `/orders/${find((o) => o.stage === 'waiting for you')}`, 'Order')
	await shot(page, 'order-waiting', true)
	await visit(page, base, `/orders/${find((o) => o.status === 'invalid')}`, 'Order')
	await shot(page, 'order-failed', true)
	await visit(page, base, `/orders/${find((o) => o.status === 'valid')}`, 'Order')
	await shot(page, 'order', true)
	await visit(page, base, '/certificates/2', '')
	await shot(page, 'certificate', true)
	await page.getByRole('button', { name: 'Export' }).click()
	await page.getByRole('dialog').waitFor()
	await shot(page, 'export')
	await visit(page, base, '/csrs/2', 'CSR')
	await shot(page, 'csr')
	await visit(page, base, '/orders?create', 'Orders')
	await page.getByRole('combobox', { name: 'Vendor' }).click()
	await page.locator('.mantine-Select-option').nth(2).click()
	await page.getByLabel('Domain Name').fill('*.cards.bank.example\ncards.bank.example')
	await page.waitForTimeout(200)
	await shot(page, 'create-order')
	await visit(page, base, '/accounts?register', 'Accounts')
	await page.getByRole('combobox', { name: 'Vendor' }).click()
	await page.locator('.mantine-Select-option', { hasText: 'ZeroSSL' }).click()
	await page.waitForTimeout(400)
	await shot(page, 'register-account')
	await visit(page, base, '/csrs?create', 'CSR')
	await page.getByLabel('Names').last().fill('www.bank.example, bank.example')
	await shot(page, 'create-csr')
	await mock.close()
	const out2 = makeMock({})
	const base2 = `http://127.0.0.1:${await out2.listen()}`
	await page.goto(base2)
	await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
	await shot(page, 'sign-in')
	await out2.close()
}
await browser.close()
