// SPDX-License-Identifier: Apache-2.0
// The one way to the server: typed by openapi.yaml, with the CSRF header, and with every failure as an ApiError that has a
// sentence to show.
import createClient from 'openapi-fetch'
import { t } from '../i18n'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Problem = Schemas['Problem']
export type Reason = Schemas['Reason']
export type Account = Schemas['Account']
export type Certificate = Schemas['Certificate']
export type CertificateDetail = Schemas['CertificateDetail']
export type Csr = Schemas['Csr']
export type Delegation = Schemas['Delegation']
export type Job = Schemas['Job']
export type Order = Schemas['Order']
export type OrderDetail = Schemas['OrderDetail']
export type AcmeRecord = Schemas['Record']
export type Session = Schemas['Session']
export type Status = Schemas['Status']
export type Token = Schemas['Token']
export type User = Schemas['User']
export type Vendor = Schemas['Vendor']
export type DirectoryReading = Schemas['DirectoryReading']
export type AccountDeletion = Schemas['AccountDeletion']
export type CsrFinding = Schemas['CsrFinding']
export type Audit = Schemas['Audit']
export type OrderEvent = Schemas['Event']
export type Checks = Schemas['Checks']
export interface Page<T> {
	items: T[]
	has_more: boolean
	cursor: string | null
}

export class ApiError extends Error {
	readonly status: number
	readonly problem: Problem
	constructor(problem: Problem) {
		super(problem.detail ?? problem.title)
		this.status = problem.status
		this.problem = problem
	}
}

let csrf = ''
let onSignedOut: () => void = () => {}
let onUnreached: () => void = () => {}

export function setCsrf(token: string) {
	csrf = token
}
export function watchClient(handlers: { signedOut: () => void; unreached: () => void }) {
	onSignedOut = handlers.signedOut
	onUnreached = handlers.unreached
}

const TIMEOUT_MS = 30_000

async function reach(request: Request): Promise<Response> {
	try {
		return await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) })
	} catch (e) {
		if (request.signal.aborted) throw e
		onUnreached()
		throw new ApiError({ type: 'urn:certwright:error:unreached', status: 0, title: t('The server was not reached'), detail: t('The server was not reached. What you typed is still here; try again when it is back.') })
	}
}

export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin', fetch: reach })

/** What a form would have sent. */
export interface Captured {
	method: string
	path: string
	body: unknown
}
class Capture extends Error {}
let capturing: ((what: Captured) => void) | null = null

/** Runs what sends a form, but stops before its first request that changes anything, and says what it was. */
export async function capture(send: () => Promise<unknown>): Promise<Captured> {
	let found: Captured | undefined
	capturing = (what) => (found = what)
	try {
		await send()
	} catch (e) {
		if (!(e instanceof Capture) && !found) throw e
	} finally {
		capturing = null
	}
	if (!found) throw new Error(t('Nothing would be sent.'))
	return found
}

api.use({
	async onRequest({ request }) {
		const take = capturing
		if (take && !['GET', 'HEAD'].includes(request.method)) {
			capturing = null
			const text = await request.clone().text()
			const url = new URL(request.url)
			take({ method: request.method, path: url.pathname.replace(/^\/api\/v1/, '') + url.search, body: text ? JSON.parse(text) : undefined })
			throw new Capture()
		}
		if (!['GET', 'HEAD'].includes(request.method) && csrf) request.headers.set('X-CSRF-Token', csrf)
		request.headers.set('Accept', 'application/json, application/problem+json')
		return request
	},
	onResponse({ request, response }) {
		if (response.status === 401 && request.method !== 'POST') onSignedOut()
		else if (response.status === 401 && !/\/(session|setup)$/.test(new URL(request.url).pathname)) onSignedOut()
	},
})

export function problemOf(error: unknown, response: Response): Problem {
	const p = error as Partial<Problem> | undefined
	if (p && typeof p === 'object' && typeof p.title === 'string' && typeof p.status === 'number') return p as Problem
	return {
		type: 'about:blank',
		status: response.status,
		title: t('The server answered {status}', { status: response.status }),
		detail: t('The server answered {status} without saying why.', { status: response.status }),
	}
}

interface Answer<T> {
	data?: T
	error?: unknown
	response: Response
}

/** The body of a good answer; anything else is thrown as an ApiError. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
	const a = await answer
	if (!a.response.ok) throw new ApiError(problemOf(a.error, a.response))
	return a.data as T
}

export function asError(e: unknown): ApiError {
	if (e instanceof ApiError) return e
	return new ApiError({ type: 'about:blank', status: 0, title: t('Something went wrong in the page'), detail: e instanceof Error ? e.message : String(e) })
}

type Deletable = '/orders/{id}' | '/accounts/{id}' | '/csrs/{id}' | '/certificates/{id}' | '/delegations/{id}' | '/users/{id}' | '/providers/{id}' | '/channels/{id}' | '/rules/{id}' | '/renewal-windows/{id}' | '/views/{id}' | '/view-rules/{id}'

/** Deletes the object as it is now: its ETag is read first, so that a change made meanwhile by somebody else is noticed. */
export async function remove(path: Deletable, id: string): Promise<void> {
	const params = { path: { id } }
	const got = await api.GET(path, { params })
	if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
	const etag = got.response.headers.get('ETag') ?? '*'
	await unwrap(api.DELETE(path, { params: { ...params, header: { 'If-Match': etag } } }))
}

/** The same key for the same body, so that pressing twice, or again after a broken connection, makes one object. */
export class Idempotency {
	private body = ''
	private key = ''
	for(body: unknown): string {
		const text = JSON.stringify(body)
		if (text !== this.body) {
			this.body = text
			this.key = crypto.randomUUID()
		}
		return this.key
	}
}

/** A job that was not done within two seconds is awaited here; what it made is read by `done`. */
export async function finish<T>(answer: { data?: unknown; response: Response; error?: unknown }, done: (job: Job) => Promise<T>): Promise<T> {
	if (!answer.response.ok) throw new ApiError(problemOf(answer.error, answer.response))
	if (answer.response.status !== 202) return answer.data as T
	let job = answer.data as Job
	while (job.state === 'queued' || job.state === 'running') {
		await new Promise((r) => setTimeout(r, 1000))
		job = await unwrap(api.GET('/jobs/{id}', { params: { path: { id: job.id } } }))
	}
	if (job.state === 'failed') throw new ApiError(problemOfReason(job.reason))
	return done(job)
}

function problemOfReason(reason: Reason | null): Problem {
	if (!reason) return { type: 'about:blank', status: 502, title: t('The job failed') }
	return {
		type: `urn:certwright:error:${reason.code}`,
		status: 502,
		title: reason.title,
		detail: reason.detail ?? reason.title,
		hint: reason.hint,
		remote: reason.remote,
		remote_type: reason.remote_type,
		errors: reason.field ? [{ pointer: reason.field, detail: reason.detail ?? reason.title }] : undefined,
	}
}

function nameOf(response: Response, otherwise: string): string {
	const m = /filename="?([A-Za-z0-9._@+-]{1,120})"?/.exec(response.headers.get('Content-Disposition') ?? '')
	return m?.[1] ?? otherwise
}

function save(blob: Blob, name: string) {
	const url = URL.createObjectURL(blob)
	const a = document.createElement('a')
	a.href = url
	a.download = name
	document.body.append(a)
	a.click()
	a.remove()
	setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** A file of the server, under the name that the server gives it. */
async function download(asked: Promise<Answer<unknown>>, otherwise: string) {
	const blob = (await unwrap(asked)) as Blob
	save(blob, nameOf((await asked).response, otherwise))
}

export function downloadOrderCertificate(order: { id: string; num: number }) {
	return download(api.GET('/orders/{id}/certificate', { params: { path: { id: order.id } }, parseAs: 'blob' }), `order-${order.num}.pem`)
}

export function exportCertificate(cert: { id: string; num: number }, body: Schemas['CertificateExport']) {
	return download(api.POST('/certificates/{id}/export', { params: { path: { id: cert.id } }, body, parseAs: 'blob' }), `certificate-${cert.num}.${body.format === 'der' ? 'der' : 'pem'}`)
}

export function downloadSupportBundle() {
	return download(api.POST('/support-bundle', { parseAs: 'blob' }), 'certwright-support.tar.gz')
}

type AuditorReport = paths['/reports/auditor/{format}']['get']['parameters']
export type AuditorFile = AuditorReport['path']['format']

/** All of a table: the server hands it out in pages, and only the first begins with the head line. */
export async function downloadAuditorFile(format: AuditorFile, bounds: Pick<NonNullable<AuditorReport['query']>, 'since' | 'until'>) {
	const pages: Blob[] = []
	let cursor: string | null = null
	do {
		const asked: Promise<Answer<unknown>> = api.GET('/reports/auditor/{format}', { params: { path: { format }, query: { ...bounds, ...(cursor ? { cursor } : {}) } }, parseAs: 'blob' })
		pages.push((await unwrap(asked)) as Blob)
		cursor = (await asked).response.headers.get('X-Next-Cursor')
	} while (cursor)
	save(new Blob(pages), `certwright-${format}`)
}

export function saveText(text: string, name: string) {
	save(new Blob([text], { type: 'application/x-pem-file' }), name)
}
