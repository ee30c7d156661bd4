// SPDX-License-Identifier: Apache-2.0
// browser.mjs - Debian's Chromium, the pages there are, and what every page is checked for.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(fileURLToPath(import.meta.url), '../../..')
const require = createRequire(join(top, 'ui/package.json'))
const { chromium } = require('playwright-core')
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const CHROMIUM = '/usr/bin/chromium'

/** So long a machine that is busy with other things may take: who waits for what comes does not pay for it. */
export const PATIENCE = 120_000

export function launch() {
	return chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
}

/** A page that remembers what went wrong in it: violations of the content policy, errors, requests to elsewhere. */
export async function open(browser, base, { scheme = 'light', width = 1280, height = 860, ...more } = {}) {
	const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, locale: 'en-GB', timezoneId: 'Europe/Istanbul', ignoreHTTPSErrors: true, reducedMotion: 'reduce', acceptDownloads: true, ...more })
	context.setDefaultTimeout(PATIENCE)
	const page = await context.newPage()
	const wrong = []
	page.on('pageerror', (e) => wrong.push(`error: ${e.message}`))
	page.on('console', (m) => {
		if (m.type() === 'error' && !/Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_CONNECTION_RESET/.test(m.text())) wrong.push(`console: ${m.text()}`)
	})
	page.on('request', (r) => {
		if (!r.url().startsWith(base) && !/^(blob|data|about):/.test(r.url())) wrong.push(`request to elsewhere: ${r.url()}`)
	})
	page.on('response', (r) => {
		if (r.status() === 400 && r.request().method() === 'GET') wrong.push(`the page asked wrongly: ${r.url()}`)
	})
	await page.addInitScript(() => {
		window.violations = []
		document.addEventListener('securitypolicyviolation', (e) => window.violations.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`))
	})
	return { context, page, wrong, violations: async () => [...wrong, ...(page.isClosed() ? [] : await page.evaluate(() => window.violations ?? []))] }
}

export async function axe(page) {
	/* The page's own policy forbids evaluating text, so the checker comes through the debugger, as an isolated script. */
	if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource)
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
	return found.violations.map((v) => `${v.impact} ${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.data?.contrastRatio ?? ''}`).join(' | ')})`)
}

/** Every page of the tree, with what must be seen on it. */
export const PAGES = [
	['dashboard', '/', 'Dashboard'],
	['accounts', '/accounts', 'Accounts'],
	['orders', '/orders', 'Orders'],
	['dns-domains', '/dns-domains', 'Acme DNS Domains'],
	['delegations', '/dns-domains/delegations', 'Acme DNS Domains'],
	['http-challenges', '/dns-domains/http', 'Acme DNS Domains'],
	['preflight', '/dns-domains/preflight', 'Acme DNS Domains'],
	['external-dns', '/external-dns', 'External DNS'],
	['validation-rules', '/external-dns/rules', 'External DNS'],
	['owed', '/external-dns/owed', 'External DNS'],
	['http-challenge', '/http-challenge', 'HTTP challenge'],
	['http-texts', '/http-challenge/texts', 'HTTP challenge'],
	['certificates', '/certificates', 'Certificates'],
	['renewals', '/renewals', 'Renewals'],
	['csrs', '/csrs', 'CSR'],
	['notifications', '/notifications', 'Notifications'],
	['activity', '/activity', 'Activity'],
	['jobs', '/activity/jobs', 'Activity'],
	['users', '/admin/users', 'Users'],
	['tokens', '/admin/tokens', 'API tokens'],
	['vendors', '/admin/vendors', 'Vendors'],
	['network', '/admin/network', 'Network'],
	['status', '/admin/status', 'Status'],
]

export async function visit(page, base, path, title) {
	await page.goto(base + path)
	await page.getByRole('heading', { level: 1, name: title }).first().waitFor()
	await settled(page)
}

/** The same within a page that is loaded already, as a link of it goes there: for walks over many pages. */
export async function turn(page, base, path, title = /./) {
	if (!page.url().startsWith(`${base}/`)) return visit(page, base, path, title)
	await page.evaluate(
		(to) =>
			new Promise((drawn) => {
				history.pushState(null, '', to)
				dispatchEvent(new PopStateEvent('popstate'))
				requestAnimationFrame(() => requestAnimationFrame(drawn))
			}),
		path,
	)
	await page.getByRole('heading', { level: 1, name: title }).first().waitFor()
	await settled(page)
}

/** The page has drawn itself, and nothing that it shows is still on its way. */
export async function settled(page) {
	await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('[aria-busy="true"], .mantine-Skeleton-root, .mantine-Loader-root') && document.fonts.status === 'loaded')
}

/** Waits until it is so, outside of the page. */
export async function until(isSo, what) {
	for (const end = Date.now() + PATIENCE; !(await isSo()); await new Promise((r) => setTimeout(r, 20))) if (Date.now() > end) throw new Error(`not within ${PATIENCE} ms: ${what}`)
}
