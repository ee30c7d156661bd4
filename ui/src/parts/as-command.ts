// SPDX-License-Identifier: Apache-2.0
// What a form would send, as a command: for curl with a token, and as words of the command line. Secrets never leave the form this
// way: curl is given a word in their place, the command line a file.
import type { Captured } from '../api/client'

type Body = Record<string, unknown>
type Say = (body: Body, id: string) => string[]

export const quote = (s: string) => (/^[A-Za-z0-9_./:=?&%,@+-]+$/.test(s) ? s : `'${s.replace(/'/g, `'\\''`)}'`)

const SECRET = /password|secret|hmac|access_key|account_key|private_key|api_key|token|credential/i
const NO_SECRET = /^(setup_token|key_type|eab_kid)$/

const isSecret = (name: string) => SECRET.test(name) && !NO_SECRET.test(name)

function hidden(value: unknown, name = ''): unknown {
	if (typeof value === 'string') return (isSecret(name) && value) || /PRIVATE KEY-----/.test(value) ? `<${name.toUpperCase()}>` : value
	if (Array.isArray(value)) return value.map((v) => hidden(v, name))
	if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, hidden(v, k)]))
	return value
}

export function asCurl({ method, path, body }: Captured, origin = location.origin): string {
	return [
		'curl -sS -H "Authorization: Bearer $CERTWRIGHT_TOKEN"',
		...(body === undefined ? [] : ["-H 'Content-Type: application/json'"]),
		...(['PATCH', 'PUT', 'DELETE'].includes(method) ? [`-H 'If-Match: "REV"'`] : []),
		...(method === 'GET' ? [] : ['-X', method]),
		...(body === undefined ? [] : ['-d', quote(JSON.stringify(hidden(body)))]),
		`'${`${origin}/api/v1${path}`.replace(/'/g, '%27')}'`,
	].join(' ')
}

/* One option, many of them, a switch, and a file in a secret's place. */
const text = (v: unknown) => (v === null || v === undefined ? '' : String(v))
const one = (flag: string, v: unknown) => (v === undefined || v === null || v === '' ? [] : [flag, text(v)])
const set = (flag: string, v: unknown) => (v === undefined ? [] : [flag, text(v)])
const each = (flag: string, v: unknown) => (Array.isArray(v) ? v.flatMap((x) => [flag, text(x)]) : [])
const on = (flag: string, v: unknown) => (v === true ? [flag] : [])
const yes = (flag: string, v: unknown) => (v === undefined ? [] : [flag, v ? 'yes' : 'no'])
const file = (flag: string, v: unknown, name: string) => (v ? [flag, name] : [])
const link = (b: Body) => ('connection' in b ? (b.connection === null ? ['--connection', 'null'] : ['--connection', 'connection.json']) : [])
const pairs = (v: unknown) => Object.entries((v ?? {}) as Body)

function fields(v: unknown): string[] {
	return pairs(v).flatMap(([k, x]) => (isSecret(k) && x ? ['--secret-file', `${k}=${k}.txt`] : x === null || x === '' ? [] : ['--set', `${k}=${text(x)}`]))
}

const rule: Say = (b) => [...set('--suffix', b.suffix === '' ? '*' : b.suffix), ...set('--vendor', b.vendor), ...one('--validation', b.validation), ...one('--method', b.method)]
const view: Say = (b) => [...one('--name', b.name), ...one('--kind', b.kind), ...each('--address', b.servers), ...one('--url', b.url), ...yes('--direct', b.direct), ...link(b)]
const viewRule: Say = (b) => [...set('--suffix', b.suffix === '' ? '*' : b.suffix), ...set('--vendor', b.vendor), ...('view_id' in b ? set('--view', b.view_id) : []), ...one('--wait', b.wait_s || undefined)]

const channel: Say = (b) => {
	const s = (b.settings ?? {}) as Body
	const r = (b.rules ?? {}) as Body
	return [...one('--name', b.name), ...one('--host', s.host), ...one('--port', s.port), ...one('--security', s.security), ...('user' in s ? set('--user', s.user) : []), ...file('--password-file', s.password, 'password.txt'), ...one('--from', s.from), ...each('--to', s.to), ...one('--url', s.url), ...each('--event', r.events), ...each('--vendor', r.vendors), ...(b.enabled === undefined ? [] : [b.enabled ? '--enable' : '--disable']), ...link(b)]
}
const user: Say = (b, id) => (b.rights ? ['user', 'right', id, ...each('--right', b.rights)] : ['user', 'update', id, ...one('--role', b.role), ...file('--password-file', b.password, 'password.txt'), ...on('--disable', b.disabled), ...on('--enable', b.disabled === false)])

/* What is taken away: the path, and who says it on the command line. */
const DELETED: [string, string, string?][] = [['orders', 'order'], ['certificates', 'certificate'], ['csrs', 'csr'], ['delegations', 'delegation'], ['channels', 'notification'], ['providers', 'provider'], ['rules', 'rule'], ['views', 'view'], ['view-rules', 'view-rule'], ['renewal-windows', 'window'], ['users', 'user'], ['tokens', 'token', 'revoke']]

const SAID: [string, RegExp, Say][] = [
	['POST', /^\/orders$/, (b) => ['order', 'create', ...one('--account', b.account_id), ...one('--csr', b.csr_id), ...each('--name', b.names), ...one('--key', b.key_type), ...one('--validation', b.validation), ...one('--dns', b.dns), ...one('--http', b.http), ...pairs(b.methods).flatMap(([n, m]) => ['--method', `${n}=${text(m)}`]), ...one('--profile', b.profile), ...on('--profile-fallback', b.profile_fallback), ...one('--preferred-chain', b.preferred_chain), ...one('--not-after', b.not_after), ...(b.mode === 'step-by-step' ? ['--step-by-step'] : [])]],
	['POST', /^\/csrs$/, (b) => ['csr', 'create', ...each('--name', b.names), ...one('--key', b.key_type), ...one('--org', b.organization), ...one('--ou', b.organizational_unit), ...one('--country', b.country), ...one('--state', b.state), ...one('--locality', b.locality)]],
	['POST', /^\/csrs\/upload$/, () => ['csr', 'upload', 'request.csr']],
	['POST', /^\/accounts$/, (b) => ['account', 'register', ...one('--vendor', b.vendor), ...one('--region', b.region), ...one('--directory', b.directory_url), ...one('--email', b.email), ...one('--name', b.name), ...on('--agree-tos', b.agree_tos), ...one('--terms', b.terms_url), ...one('--eab-kid', b.eab_kid), ...file('--eab-hmac-file', b.eab_hmac_key, 'eab-hmac.txt'), ...on('--eab-from-email', b.eab_from === 'email'), ...file('--eab-access-key-file', b.eab_access_key, 'access-key.txt'), ...file('--key-file', b.account_key, 'account-key.pem'), ...on('--automatic', b.automatic), ...link(b)]],
	['POST', /^\/accounts\/([^/]+)\/contact$/, (b, id) => ['account', 'contact', id, ...set('--email', b.email)]],
	['POST', /^\/delegations$/, (b) => ['delegation', 'create', text(b.name), ...one('--provider', b.provider_id), ...one('--target', b.target)]],
	['POST', /^\/delegation-list$/, (b) => ['delegation', 'paste', 'names.txt', ...one('--provider', b.provider_id), ...one('--zone', b.zone)]],
	['POST', /^\/tokens$/, (b) => ['token', 'create', ...one('--name', b.name), ...one('--role', b.role), ...each('--right', b.rights), ...each('--from', b.sources), ...one('--days', b.days)]],
	['POST', /^\/users$/, (b) => ['user', 'add', text(b.name), ...one('--role', b.role), ...each('--right', b.rights), ...file('--password-file', b.password, 'password.txt')]],
	['PATCH', /^\/users\/([^/]+)$/, user],
	['POST', /^\/channels$/, (b, id) => ['notification', 'create', ...one('--kind', b.kind), ...channel(b, id)]],
	['PATCH', /^\/channels\/([^/]+)$/, (b, id) => ['notification', 'update', id, ...channel(b, id)]],
	['PATCH', /^\/providers\/([^/]+)$/, (b, id) => ['provider', 'update', id, ...one('--name', b.name), ...fields(b.fields), ...link(b)]],
	['POST', /^\/providers\/([^/]+)\/test$/, (b, id) => ['provider', 'test', id, ...one('--zone', b.zone), ...(b.write ? ['--write', 'yes'] : [])]],
	['PATCH', /^\/vendors\/([^/]+)$/, (b, id) => ['vendor', 'set', id, ...(b.directory_url ? ['--directory', text(b.directory_url)] : ['--built-in'])]],
	['POST', /^\/certificates\/([^/]+)\/export$/, (b, id) => ['certificate', 'export', id, ...one('--format', b.format), ...on('--with-key', b.with_key), ...one('--reason', b.reason), ...file('--password-file', b.password, 'password.txt')]],
	['POST', /^\/providers$/, (b) => ['provider', 'create', ...one('--kind', b.kind), ...one('--name', b.name), ...fields(b.fields), ...link(b)]],
	['POST', /^\/rules$/, (b, id) => ['rule', 'create', ...rule(b, id)]],
	['PATCH', /^\/rules\/([^/]+)$/, (b, id) => ['rule', 'update', id, ...rule(b, id)]],
	['POST', /^\/views$/, (b, id) => ['view', 'create', ...view(b, id)]],
	['PATCH', /^\/views\/([^/]+)$/, (b, id) => ['view', 'update', id, ...view(b, id)]],
	['POST', /^\/view-rules$/, (b, id) => ['view-rule', 'create', ...viewRule(b, id)]],
	['PATCH', /^\/view-rules\/([^/]+)$/, (b, id) => ['view-rule', 'update', id, ...viewRule(b, id)]],
	['POST', /^\/renewal-windows$/, (b) => ['window', 'create', ...one('--name', b.name), ...one('--cron', b.cron), ...one('--minutes', b.minutes), ...one('--zone', b.zone), ...on('--default', b.is_default)]],
	['PATCH', /^\/certificates\/([^/]+)$/, (b, id) => ['certificate', 'note', id, ...set('--owner', b.owner), ...set('--notes', b.notes), ...(Array.isArray(b.tags) && b.tags.length ? each('--tag', b.tags) : ['--tag', ''])]],
	['POST', /^\/revocations$/, (b) => ['certificate', 'revoke', ...((b.certificate_ids as string[] | undefined) ?? []), ...one('--reason', b.reason), ...on('--by-key', b.by_key), ...on('--replace', b.replace), ...on('--accept-cost', b.accept_cost)]],
	['POST', /^\/renewals$/, (b) => ['certificate', 'renew', ...((b.certificate_ids as string[] | undefined) ?? []), ...one('--csr', b.csr_id), ...on('--accept-cost', b.accept_cost)]],
	...DELETED.map(([path, noun, verb]): [string, RegExp, Say] => ['DELETE', new RegExp(`^/${path}/([^/?]+)$`), (_, id) => [noun, verb ?? 'delete', id]]),
	['DELETE', /^\/accounts\/([^/]+)$/, (b, id) => ['account', 'delete', id, ...one('--takeover', b.takeover), ...on('--deactivate', b.authority === 'deactivate'), ...on('--destroy-key', b.key === 'destroy')]],
	['POST', /^\/orders\/([^/]+)\/(?:refresh)$/, (_, id) => ['order', 'refresh', id]],
	['POST', /^\/accounts\/([^/]+)\/rollover$/, (_, id) => ['account', 'rollover', id]],
	['POST', /^\/support-bundle$/, () => ['support-bundle', '--out', 'certwright-support.tar.gz']],
	['PUT', /^\/renewal-pause$/, (b) => (b.stopped ? ['renewal', 'pause', ...one('--reason', b.reason), ...one('--until', b.until)] : ['renewal', 'resume'])],
]

/** Words of the command line, or null where it has no single command for it. */
export function asCli({ method, path, body }: Captured): string | null {
	const [bare = '', search] = path.split('?')
	for (const [m, re, say] of SAID) {
		const found = m === method && re.exec(bare)
		if (found) return ['certwright', ...say({ ...Object.fromEntries(new URLSearchParams(search)), ...((body ?? {}) as Body) }, decodeURIComponent(found[1] ?? ''))].map((w) => (w === '' ? "''" : quote(w))).join(' ')
	}
	return null
}
