// SPDX-License-Identifier: Apache-2.0
// mock-status.mjs - what the mock's Status page has beside the status: the last look at everything, the support bundle, the tables for
// an auditor.

export function makeChecks({ empty, now, iso, hostile }) {
	const row = (check, about, state, text, todo = null) => ({ where: 'server', check, about, state, text, todo })
	const rows = [
		row('config', '', 'ok', 'the configuration is as it was when the server started'),
		row('disk', '/var/lib/certwright', 'ok', '41 GB of 80 GB are free'),
		row('clock', 'acme-v02.api.letsencrypt.org', 'ok', 'the clock is 0 s away from that of the authority'),
		row('listeners', '0.0.0.0:53', 'ok', 'it answers'),
		row('vendor', "Let's Encrypt", 'ok', 'its directory answers in 212 ms'),
		row('vendor', 'ZeroSSL', 'error', 'acme.zerossl.com:443 was not reached: connecting took longer than 10 s', 'Let it through the firewall, or set net.proxy.'),
		row('view', 'datacentre', 'not-checked', '10.1.0.53:53 did not answer before the time was up', 'Look again, or ask it from the server: dig @10.1.0.53.'),
		row('provider', 'Cloudflare of the shop', 'ok', 'its credential is taken, and it has 3 zones'),
		row('mail', 'mail.bank.example:587', 'ok', 'it takes the sign-in'),
		row('backup', '', 'warning', 'the last backup is 9 days old', 'certwright backup, and its daily timer.'),
	]
	if (hostile) rows.push(row(hostile(), hostile(), 'error', hostile(), hostile()))
	const found = (list, at, node) => ({ node, ran_at: at, counts: Object.fromEntries(['ok', 'warning', 'error', 'not-checked'].map((s) => [s, list.filter((r) => r.state === s).length])), rows: list })
	return empty ? found([], null, null) : found(rows, iso(now - 8 * 60_000), hostile ? hostile() : 'acme1.bank.example')
}

/** Answers what is about these; a look takes a moment, as a job whose end is told to whoever listens. */
export function makeStatusPage({ empty, now, iso, ulid, hostile, db, state, hint }) {
	const settled = { result: null, reason: null, attempts: 1, next_at: null, ended_at: null }
	state.checks = makeChecks({ empty, now, iso, hostile })

	function look() {
		const at = iso(Date.now())
		const job = { id: ulid(), num: db.jobs.length + 1, kind: 'server-check', subject_kind: 'server', subject_id: null, state: 'running', created_at: at, updated_at: at, ...settled }
		db.jobs.unshift(job)
		setTimeout(() => {
			state.checks = { ...makeChecks({ now, iso, hostile }), ran_at: iso(Date.now()), ...state.found }
			Object.assign(job, { state: 'done', ended_at: iso(Date.now()) })
			hint('job', job.id)
		}, 300).unref()
		return job
	}

	/** True when the request was one of these and is answered. */
	return function answer({ m, json, file, problem, may, q }) {
		let x
		if (m('GET', /^\/checks$/) || m('POST', /^\/checks$/) || m('POST', /^\/support-bundle$/)) if (!may('admin')) return problem(403, 'Denied', 'Your role may not do this'), true
		if (m('GET', /^\/checks$/)) return json(200, state.checks), true
		if (m('POST', /^\/checks$/)) return json(202, look()), true
		if (m('POST', /^\/support-bundle$/)) return file('application/gzip', 'certwright-support-20261127T024500Z.tar.gz', 'a bundle'), true
		if ((x = m('GET', /^\/reports\/auditor\/([a-z-]+\.(csv|md))$/))) {
			if (!may('audit')) return problem(403, 'Denied', 'This needs the right audit'), true
			if (x[2] === 'md') return file('text/markdown; charset=utf-8', 'certwright-index.md', '# For an auditor\n'), true
			;(state.reports ??= []).push(`${x[1]} ${q.get('since') ?? ''} ${q.get('until') ?? ''}`)
			const last = q.get('cursor') === 'more'
			return file('text/csv; charset=utf-8', `certwright-${x[1]}`, last ? 'second,2\r\n' : 'name,n\r\nfirst,1\r\n', last ? {} : { 'X-Next-Cursor': 'more' }), true
		}
		return false
	}
}
