// SPDX-License-Identifier: Apache-2.0
// crawl.mjs - visits pages and presses everything on them, as somebody who may only look: what was sent, what came back that nobody
// may see, and which buttons did nothing.
import { turn } from './browser.mjs'

const SECRETS = [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, /\bcw_[A-Za-z0-9_-]{40,}/, /"(?:password|eab_hmac_key|eab_access_key|sealed)"\s*:\s*"(?!set")[^"]/, /\$argon2/]

/** What can be seen of the page: another picture after a press means that the button lives. */
const look = (page) => page.evaluate(() => `${location.href} ${document.body.innerHTML.length} ${document.body.innerText.length} ${document.title} ${document.activeElement?.id} ${[...document.querySelectorAll('input, select, textarea')].map((e) => `${e.value}${e.checked ?? ''}`).join()}`)

export async function crawl(page, base, paths) {
	const found = { pressed: 0, dead: [], sent: [], secrets: [] }
	let activity = 0
	const onRequest = (r) => {
		if (!r.url().startsWith(`${base}/api/`)) return
		activity++
		if (r.method() !== 'GET') found.sent.push(`${r.method()} ${new URL(r.url()).pathname}`)
	}
	const onResponse = async (r) => {
		if (!r.url().startsWith(`${base}/api/`) || /events$|openapi/.test(r.url())) return
		const text = await r.text().catch(() => '')
		for (const s of SECRETS) if (s.test(text)) found.secrets.push(`${new URL(r.url()).pathname}: ${s}`)
	}
	const onDownload = () => activity++
	page.on('request', onRequest)
	page.on('response', onResponse)
	page.on('download', onDownload)
	for (const path of paths) {
		/* As new: what was open on it is gone with it when one goes elsewhere and comes back. */
		const go = async () => {
			await turn(page, base, path === '/' ? '/csrs' : '/')
			await turn(page, base, path)
		}
		await turn(page, base, path)
		const all = page.locator('main').locator('button:visible, summary:visible, [role="tab"]:visible')
		const names = await all.evaluateAll((l) => l.map((e) => (e.disabled || e.getAttribute('aria-disabled') === 'true' || e.getAttribute('aria-selected') === 'true' ? null : e.getAttribute('aria-label') || e.textContent.trim())))
		/* A name once for a page: rows of a list have the same buttons, told apart by a number or a name at the end. */
		const seen = new Set()
		for (const [i, name] of names.entries()) {
			if (name === null) continue
			const kind = name.replace(/ (account|order|provider|certificate|of|for) .*$/, '')
			if (seen.has(kind)) continue
			seen.add(kind)
			if (!(await all.nth(i).isEnabled().catch(() => false))) await go() // what was pressed before has changed the page
			const before = await look(page)
			const was = activity
			await all.nth(i).click()
			found.pressed++
			const lives = async () => activity !== was || (await look(page)) !== before
			for (let n = 0; n < 1000 && !(await lives()); n++) await page.waitForTimeout(20)
			if (!(await lives())) found.dead.push(`${path}: ${name}`)
			await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
			for (const item of await page.getByRole('menuitem').all()) if ((await item.isEnabled()) && /Delete|Refresh Order|Finalize|Edit|Change/.test(await item.innerText())) found.dead.push(`${path}: ${await item.innerText()} is offered`)
			await page.keyboard.press('Escape')
			if (!page.url().startsWith(base + path) || (await page.getByRole('dialog').count())) await go()
		}
	}
	await page.waitForTimeout(200)
	page.off('request', onRequest)
	page.off('response', onResponse)
	page.off('download', onDownload)
	return found
}
