// SPDX-License-Identifier: Apache-2.0
// run-prove.mjs - part of run.mjs: the forms of what proves control of a name.
import assert from 'node:assert/strict'
import { axe, visit } from './browser.mjs'

export function proveTests({ test, withPage }) {
	const dialog = (page) => page.getByRole('dialog')
	const choose = async (page, list, option) => {
		await dialog(page).getByRole('combobox', { name: list }).click()
		await page.getByRole('option', { name: option, exact: true }).click()
	}
	/** The form of a new provider or target of this kind, named. */
	const add = async (page, base, [path, title, list, button], kind, name) => {
		await visit(page, base, path, title)
		await page.getByRole('button', { name: button }).first().click()
		await choose(page, list, kind)
		await dialog(page).getByLabel('Name', { exact: true }).fill(name)
	}
	const DNS = ['/external-dns', 'External DNS', 'Provider', 'Add provider']
	const HTTP = ['/http-challenge', 'HTTP challenge', 'Target', 'Add target']
	const box = (page, name) => dialog(page).getByRole('textbox', { name })
	/** Of the row's menu. */
	const act = async (page, name, item) => {
		await page.getByRole('button', { name: new RegExp(`^Actions of (target|provider) ${name}$`) }).click()
		await page.getByRole('menuitem', { name: item }).click()
	}
	const press = async (page, button, text) => {
		await dialog(page).getByRole('button', { name: button }).click()
		await dialog(page).getByText(text).waitFor()
	}
	const save = (page) => dialog(page).getByRole('button', { name: 'Test and save' }).click()

	test('a pasted .edgerc keeps its line breaks, and a session token is hidden on one line', () =>
		withPage({}, async ({ page, base, mock, context }) => {
			await context.grantPermissions(['clipboard-read', 'clipboard-write'])
			const edgerc = '[default]\nclient_secret = c2VjcmV0+/=\nhost = akab-x.luna.akamaiapis.net\naccess_token = akab-a\nclient_token = akab-c\n'
			await add(page, base, DNS, 'Akamai', 'edge')
			await page.evaluate((text) => navigator.clipboard.writeText(text), edgerc)
			await box(page, /^\.edgerc/).focus()
			await page.keyboard.press('Control+V')
			assert.deepEqual(await axe(page), [])
			await save(page)
			await dialog(page).getByRole('button', { name: 'Test reading only' }).waitFor()
			assert.deepEqual(mock.state.saved.fields, { edgerc })
			await add(page, base, DNS, 'Route 53', 'amazon')
			const token = box(page, 'Session token')
			assert.equal(await token.getAttribute('type'), 'password')
			assert.equal(await token.evaluate((e) => e.tagName), 'INPUT')
		}))

	test('the hook is asked what it needs: its options are fields, others stay lines, and an answer of other fields is not shown', () =>
		withPage({}, async ({ page, base, mock }) => {
			const ask = () => dialog(page).getByRole('button', { name: 'Ask the hook' }).click()
			await add(page, base, DNS, 'acme.sh hook', 'by hook')
			await ask()
			await dialog(page).getByText("'program' is needed", { exact: false }).waitFor()
			await choose(page, 'Program', 'acme-sh')
			await box(page, 'Hook').fill('dns_other')
			await ask()
			await dialog(page).getByText("has no hook 'dns_other'", { exact: false }).waitFor()
			await box(page, 'Options').fill('PDNS_Url=http://ns.bank.example:8081\n# kept\nCA_BUNDLE=/etc/ca.pem')
			await box(page, 'Hook').fill('dns_pdns')
			await ask()
			await dialog(page).getByText('PowerDNS takes 3 options.').waitFor()
			const option = (name) => box(page, new RegExp(`^${name}`))
			assert.equal(await option('PDNS_Url').inputValue(), 'http://ns.bank.example:8081', 'what was a line is the field')
			assert.equal(await option('PDNS_Token').getAttribute('type'), 'password')
			assert.equal(await option('PDNS_Ttl').getAttribute('placeholder'), '60')
			assert.equal(await box(page, 'Other options').inputValue(), '# kept\nCA_BUNDLE=/etc/ca.pem')
			await option('PDNS_Token').fill('a=b c')
			assert.deepEqual(await axe(page), [])
			await box(page, 'Hook').fill('dns_mydevil')
			await dialog(page).getByText('PowerDNS takes 3 options.').waitFor({ state: 'detached' })
			assert.equal(await box(page, 'Options').inputValue(), 'PDNS_Url=http://ns.bank.example:8081\nPDNS_Token=a=b c\n# kept\nCA_BUNDLE=/etc/ca.pem')
			await ask()
			await dialog(page).getByText('The hook names no option', { exact: false }).waitFor()
			await box(page, 'Hook').fill('dns_pdns')
			await save(page)
			await dialog(page).getByLabel('Zone to try').waitFor()
			assert.equal(await dialog(page).getByRole('button', { name: 'Test reading only' }).count(), 0, 'a hook can read nothing')
			await press(page, 'Write, find and remove it', 'Name a zone.')
			assert.deepEqual(mock.state.saved, { kind: 'acmesh', name: 'by hook', fields: { program: 'acme-sh', hook: 'dns_pdns', options: 'PDNS_Url=http://ns.bank.example:8081\nPDNS_Token=a=b c\n# kept\nCA_BUNDLE=/etc/ca.pem' } })
			assert.ok(mock.state.asked.every((b) => !('options' in b.fields)), 'no secret was part of a question')
		}))

	test('beside the form stands what to copy for the least right, and a kind with nothing to copy has only words', () =>
		withPage({}, async ({ page, base, context }) => {
			await context.grantPermissions(['clipboard-read', 'clipboard-write'])
			await add(page, base, DNS, 'PowerDNS', 'inside')
			await dialog(page).getByText('For pdns.conf').waitFor()
			assert.deepEqual(await axe(page), [])
			await dialog(page).getByRole('button', { name: 'Copy the text for pdns.conf' }).click()
			assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'api=yes\napi-key=...\n')
			await choose(page, 'Provider', 'Cloudflare')
			await dialog(page).getByText('Zone:Read and DNS:Edit').waitFor()
			assert.equal(await dialog(page).locator('pre').count(), 0)
		}))

	test('a pasted list of names leads to a provider, in the same dialog, and each line says what came of it', () =>
		withPage({}, async ({ page, base, mock }) => {
			const paste = async (text) => {
				await visit(page, base, '/dns-domains/delegations', 'Acme DNS Domains')
				await page.getByRole('button', { name: 'Add from a list' }).click()
				await box(page, /^Domain Names/).fill(text)
			}
			const rows = () => dialog(page).getByRole('row').allInnerTexts()
			await paste('a.bank.example')
			assert.equal(await box(page, /^Zone into which/).count(), 0)
			await dialog(page).getByRole('button', { name: 'Add them' }).click()
			await dialog(page).getByText('added').waitFor()
			assert.deepEqual(mock.state.pasted.at(-1), { text: 'a.bank.example' })
			assert.ok(!(await rows())[0].includes('Leads to'))
			await paste('a.bank.example\n*.b.bank.example there.acme.example\nno!\n')
			await dialog(page).getByLabel('Answered by').selectOption({ label: 'Data centre (PowerDNS)' })
			await box(page, /^Zone into which/).fill('acme.example')
			assert.deepEqual(await axe(page), [])
			await dialog(page).getByRole('button', { name: 'Add them' }).click()
			await dialog(page).getByText('refused').waitFor()
			assert.deepEqual((await rows()).map((r) => r.split('\t').map((c) => c.trim()).slice(0, 4)), [
				['Line', 'Name', 'Leads to', 'Result'],
				['1', 'a.bank.example', '_acme-challenge.a.bank.example.acme.example', 'added'],
				['2', 'b.bank.example', 'there.acme.example', 'added'],
				['3', 'no!', '_acme-challenge.no!.acme.example', 'refused'],
			])
			const sent = mock.state.pasted.at(-1)
			assert.deepEqual([sent.zone, typeof sent.provider_id], ['acme.example', 'string'])
			assert.deepEqual(await axe(page), [])
		}))

	test('a web root is chosen among those that the configuration names, and its test says which directory', () =>
		withPage({}, async ({ page, base, mock }) => {
			await add(page, base, HTTP, 'Web root', 'shop window')
			await save(page)
			await dialog(page).getByText("'webroot' is needed", { exact: false }).first().waitFor()
			assert.equal(await dialog(page).getByRole('textbox', { name: /^(Web root|Host)/ }).count(), 0, 'no path is typed')
			await dialog(page).getByRole('combobox', { name: 'Web root' }).click()
			assert.deepEqual(await page.getByRole('option').filter({ visible: true }).allInnerTexts(), ['intranet', 'shop'])
			await page.getByRole('option', { name: 'shop', exact: true }).click()
			assert.deepEqual(await axe(page), [])
			await save(page)
			await press(page, 'Test reading only', '/srv/www/shop')
			assert.deepEqual(mock.state.saved, { kind: 'webroot', name: 'shop window', fields: { webroot: 'shop' } })
			await press(page, 'Write and remove a probe', '/srv/www/shop')
			assert.deepEqual(mock.state.tested.map((b) => b.write), [false, true])
		}))

	test('the form of a BIG-IP has all its fields, keeps a secret that is not entered again, and says when it is erased', () =>
		withPage({}, async ({ page, base, mock }) => {
			await add(page, base, HTTP, 'F5 BIG-IP', 'second pair')
			await save(page)
			await dialog(page).getByText("'url' is needed", { exact: false }).first().waitFor()
			await box(page, /^Management address/).fill('https://bigip2.inside.bank.example')
			await box(page, /^Other units/).fill('https://bigip3.inside.bank.example\nhttps://bigip4.inside.bank.example')
			await box(page, /^User/).fill('certwright')
			await box(page, /^Password/).fill('s3cret')
			assert.equal(await box(page, /^Password/).getAttribute('type'), 'password')
			assert.equal(await box(page, /^Partition/).inputValue(), 'Common')
			await dialog(page).getByRole('switch', { name: 'Save configuration' }).click()
			await choose(page, 'Copy to the device group', 'clean')
			await box(page, /^Device group/).fill('pair')
			assert.deepEqual(await axe(page), [])
			await save(page)
			await press(page, 'Write and remove a probe', 'bigip2.inside.bank.example · TMOS 17.5.1 · active · In Sync')
			assert.deepEqual(mock.state.saved.fields, {
				url: 'https://bigip2.inside.bank.example', peers: 'https://bigip3.inside.bank.example\nhttps://bigip4.inside.bank.example', username: 'certwright', password: 's3cret',
				save: 'true', sync: 'clean', device_group: 'pair',
			})
			await visit(page, base, '/http-challenge', 'HTTP challenge')
			await act(page, 'second pair', 'Change')
			assert.equal(await box(page, /^Password/).getAttribute('placeholder'), 'set; leave empty to keep it')
			await box(page, /^User/).fill('certwright2')
			await save(page)
			await dialog(page).getByRole('button', { name: 'Test reading only' }).waitFor()
			assert.deepEqual(mock.state.saved.fields, { username: 'certwright2' })
			await visit(page, base, '/http-challenge', 'HTTP challenge')
			await act(page, 'second pair', 'Change')
			await box(page, /^Management address/).fill('https://elsewhere.bank.example')
			await dialog(page).getByText('The address changes, so the stored secrets are erased: enter them again.').waitFor()
		}))

	test('the rules of a virtual server are shown as they are and as they will be, before ours is attached or detached', () =>
		withPage({}, async ({ page, base }) => {
			await visit(page, base, '/http-challenge', 'HTTP challenge')
			await act(page, 'Edge balancer', 'Virtual servers')
			for (const [button, other, now, then] of [['Detach', 'Attach', '/Common/certwright_acme', 'none'], ['Attach', 'Detach', 'none', '/Common/certwright_acme']]) {
				await dialog(page).getByRole('button', { name: button, exact: true }).click()
				await dialog(page).getByText('Rules afterwards').waitFor()
				assert.deepEqual((await dialog(page).getByText(/^(none|\/Common\/certwright_acme)$/).allInnerTexts()), [now, then])
				assert.deepEqual(await axe(page), [])
				await dialog(page).getByRole('button', { name: button, exact: true }).click()
				await dialog(page).getByRole('button', { name: other, exact: true }).waitFor()
			}
		}))

	test('texts for redirecting and forwarding have the name that is typed, and where answers are put leads to what is answered and back', () =>
		withPage({}, async ({ page, base, mock }) => {
			await visit(page, base, '/http-challenge/texts', 'HTTP challenge')
			await page.getByText('return 302').first().waitFor()
			await page.getByRole('textbox', { name: 'Public name of this server' }).fill('acme.bank.example')
			await page.getByText('Forward', { exact: true }).click()
			await page.getByText('proxy_pass').first().waitFor()
			await page.waitForFunction(() => !document.body.innerText.includes('return 302'))
			assert.ok(mock.state.requests.some((r) => r.startsWith('GET /challenge-texts')), 'asked of the server')
			await page.getByRole('tab', { name: 'Targets' }).click()
			await page.getByRole('link', { name: 'What is answered now stands at HTTP answers.' }).click()
			await page.getByRole('tab', { name: 'HTTP answers', selected: true }).waitFor()
			await page.getByRole('heading', { level: 1, name: 'Acme DNS Domains' }).waitFor()
			await page.getByRole('link', { name: 'Where the answers are put is set up at HTTP challenge.' }).click()
			await page.getByRole('heading', { level: 1, name: 'HTTP challenge' }).waitFor()
		}))
}
