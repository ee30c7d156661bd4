// SPDX-License-Identifier: Apache-2.0
// live-life.mjs - part of live.mjs: what happens in a certificate's life through the page alone, on the real server: the form of each
// vendor, a provider (a real PowerDNS) tested, saved and used by an order, an import, a renewal and a revocation.
import assert from 'node:assert/strict'
import { until, visit } from './browser.mjs'

export async function lifeTests({ test, base, page, bed, tell, createOrder }) {
	const get = (path) => page.evaluate(async (p) => (await fetch(`/api/v1${p}`)).json(), path)
	const dialog = () => page.getByRole('dialog')

	await test("each vendor's form asks for what that vendor needs, and a discontinued one cannot be chosen", async () => {
		const vendors = (await get('/vendors')).items.filter((v) => v.key !== 'custom')
		assert.ok(vendors.length >= 12, `${vendors.length} vendors`)
		for (const v of vendors) {
			await page.goto(`${base}/accounts?register`)
			await page.getByRole('combobox', { name: 'Vendor' }).click()
			const option = page.getByRole('option', { name: v.costs_money ? `${v.title} (paid)` : v.title, exact: true })
			await option.waitFor()
			const off = (await option.getAttribute('data-combobox-disabled')) !== null
			assert.equal(off, v.discontinued !== null, v.title)
			if (off) continue
			await option.click()
			await page.getByRole('textbox', { name: 'E-mail' }).waitFor()
			const bound = page.getByRole('switch', { name: /Use External Account Binding/ })
			if (v.eab_required) {
				assert.ok(await bound.isChecked(), `${v.title}: bound`)
				await page.getByText('Where to find the values').or(page.getByLabel('Where the values come from')).first().waitFor()
			}
			assert.equal(await page.getByLabel('Region or product').count() > 0, v.regions.length > 0, `${v.title}: regions`)
			if (v.contact_required) await page.getByText('This vendor wants one.').waitFor()
			assert.equal(await page.getByRole('checkbox', { name: /Renewals and other automatic acts/ }).count(), v.costs_money ? 1 : 0, `${v.title}: costs`)
		}
	})

	if (bed.powerdns)
		await test('a provider is tested and saved, and a wildcard with its apex is issued by it; nothing is left there', async () => {
			await visit(page, base, '/external-dns', 'External DNS')
			await page.getByRole('button', { name: 'Add provider' }).first().click()
			await dialog().getByRole('combobox', { name: 'Provider' }).click()
			await page.getByRole('option', { name: /^PowerDNS/ }).click()
			await dialog().getByLabel('Name', { exact: true }).fill('zone at home')
			const kind = (await get('/provider-kinds')).items.find((k) => k.name === 'powerdns')
			const box = (name) => dialog().getByRole('textbox', { name: new RegExp(`^${kind.fields.find((f) => f.name === name).label}`) })
			await box('url').fill(bed.powerdns.url)
			await box('api_key').fill('wrong-key-0123456789')
			await dialog().getByRole('button', { name: 'Test and save' }).click()
			await dialog().getByRole('button', { name: 'Test reading only' }).click()
			await dialog().getByText(/401/).first().waitFor()
			await visit(page, base, '/external-dns', 'External DNS')
			await page.getByRole('button', { name: 'Actions of provider zone at home' }).click()
			await page.getByRole('menuitem', { name: 'Change' }).click()
			await box('api_key').fill(bed.powerdns.key)
			await dialog().getByRole('button', { name: 'Test and save' }).click()
			await dialog().getByRole('button', { name: 'Test reading only' }).click()
			await dialog().getByText('Reading works').waitFor()
			await dialog().getByRole('button', { name: 'Write, find and remove it' }).click()
			await dialog().getByText('It works').waitFor()
			await createOrder('pdns.test\n*.pdns.test', async () => {
				await page.getByRole('combobox', { name: 'External DNS' }).click()
				await page.getByRole('option', { name: /^zone at home/ }).click()
			})
			await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
			await until(async () => !(await tell('texts')).length, 'nothing is left in the zone')
		})

	await test('the hook of a real acme.sh is asked what it needs, saved by what it said, and its failure is told without the key', async () => {
		const key = 'certwright:c2VjcmV0LW9mLXRoZS1ob29rLTAxMjM0NTY3ODk='
		await visit(page, base, '/external-dns', 'External DNS')
		await page.getByRole('button', { name: 'Add provider' }).first().click()
		await dialog().getByRole('combobox', { name: 'Provider' }).click()
		await page.getByRole('option', { name: 'acme.sh hook' }).click()
		await dialog().getByLabel('Name', { exact: true }).fill('by hook')
		await dialog().getByRole('combobox', { name: 'Program' }).click()
		await page.getByRole('option', { name: 'acme-sh' }).click()
		const box = (name) => dialog().getByRole('textbox', { name })
		const ask = () => dialog().getByRole('button', { name: 'Ask the hook' }).click()
		await box('Hook').fill('dns_other')
		await ask()
		await dialog().getByText("has no hook 'dns_other'").first().waitFor({ timeout: 30_000 })
		await box('Hook').fill('dns_test')
		await ask()
		await dialog().getByText('A test hook takes 3 options.').waitFor({ timeout: 30_000 })
		assert.equal(await box(/^TEST_Ttl/).getAttribute('placeholder'), '60')
		await box(/^TEST_Port/).fill('1')
		await box(/^TEST_Key/).fill(key)
		await dialog().getByRole('button', { name: 'Test and save' }).click()
		await dialog().getByLabel('Zone to try').fill('hook.test')
		assert.equal(await dialog().getByRole('button', { name: 'Test reading only' }).count(), 0)
		await dialog().getByRole('button', { name: 'Write, find and remove it' }).click()
		await dialog().getByText(/'acme-sh' ended with status/).first().waitFor({ timeout: 60_000 })
		const saved = (await get('/providers?name=by%20hook')).items[0]
		assert.deepEqual(saved.fields, { program: 'acme-sh', hook: 'dns_test', options: 'set' })
		assert.equal(saved.status, 'failed')
		assert.ok(!JSON.stringify(saved).includes(key.split(':')[1]) && !(await page.content()).includes(key.split(':')[1]))
	})

	await test('a name that its authority has paused shows the link that ends it, and the order goes on when that is done', async () => {
		const link = 'https://portal.bank.test/sfe/v1/unpause?jwt=abc.def'
		await tell(`pause ${JSON.stringify({ 'tired.bank.test': link })}`)
		await page.goto(`${base}/accounts?register`)
		await page.getByRole('combobox', { name: 'Vendor' }).click()
		await page.getByRole('option', { name: 'Other ACME directory' }).click()
		await page.getByLabel('Directory URL').fill(bed.scripted)
		await page.getByRole('textbox', { name: 'E-mail' }).fill('paused@bank.test')
		await page.getByRole('button', { name: /^Connection/ }).click()
		await page.getByLabel('Own certificate authority').fill(bed.scripted_ca)
		await page.getByLabel(/I agree to the terms/).click()
		await dialog().getByRole('button', { name: 'Register', exact: true }).click()
		await page.getByRole('row', { name: /paused@bank\.test/ }).getByText('valid', { exact: true }).waitFor()
		await createOrder('tired.bank.test', async () => {
			await page.getByRole('combobox', { name: 'Vendor' }).fill('paused@')
			await page.locator('.mantine-Select-option', { hasText: 'paused@bank.test' }).click()
		})
		const way = page.getByRole('main').getByRole('link', { name: link }).first()
		await way.waitFor()
		assert.deepEqual([await way.getAttribute('href'), await way.getAttribute('target'), await way.getAttribute('rel')], [link, '_blank', 'noreferrer noopener'])
		await tell('pause {}')
		await page.getByRole('button', { name: 'Refresh Order' }).click()
		await page.getByRole('button', { name: 'Download Certificate' }).waitFor()
		await way.waitFor({ state: 'detached' })
	})

	await test('a certificate from elsewhere is imported and watched', async () => {
		const [pem] = await tell('certificates ["Imported Bank"]')
		await visit(page, base, '/certificates', 'Certificates')
		await page.getByRole('button', { name: 'Import', exact: false }).first().click()
		await dialog().getByLabel('Certificate', { exact: true }).fill(pem)
		await dialog().getByLabel('Owner').fill('web team')
		await dialog().getByRole('button', { name: 'Import', exact: true }).click()
		await dialog().getByRole('button', { name: 'Close' }).last().click()
		await visit(page, base, '/certificates?q=name:h0.bank.test', 'Certificates')
		await page.getByRole('link', { name: 'h0.bank.test' }).first().click()
		await page.getByText('This certificate is only watched.').waitFor()
	})

	await test('a certificate is renewed, and the new one is revoked, by two buttons', async () => {
		await visit(page, base, '/certificates?q=name:shop.bank.test', 'Certificates')
		await page.getByRole('link', { name: 'shop.bank.test' }).first().click()
		await page.getByRole('heading', { level: 1 }).waitFor()
		const id = page.url().split('/').pop()
		const before = (await get(`/certificates/${id}`)).serial
		await page.getByRole('button', { name: 'Renew', exact: true }).click()
		let now = before
		await until(async () => (now = (await get(`/certificates/${id}`)).serial) !== before, 'it is renewed')
		await page.getByText(now, { exact: false }).first().waitFor()
		await page.getByRole('button', { name: 'Revoke', exact: true }).click()
		await dialog().getByLabel('Replace it first').uncheck()
		await dialog().getByLabel('Reason').selectOption('superseded')
		await dialog().getByRole('button', { name: 'Revoke', exact: true }).click()
		await page.locator('h1 + *, .tone').filter({ hasText: 'revoked' }).first().waitFor()
		assert.equal((await get(`/certificates/${id}`)).status, 'revoked')
	})
}
