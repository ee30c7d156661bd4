// SPDX-License-Identifier: Apache-2.0
// What changed on the server, as it changes. One tab holds the event stream (whoever has the lock) and tells the others over a
// BroadcastChannel, because a browser gives a host only a few connections. A hint says "object X changed"; the page reads it
// again. After a gap everything is read again.
import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { api } from './client'

export type Link = 'connecting' | 'connected' | 'lost'

interface Hint {
	kind: string
	id: string
	rev?: number
}
type Note = { type: 'hint'; hint: Hint } | { type: 'link'; link: Link } | { type: 'hello' } | { type: 'broken' }

/** What is read again when an object of a kind changes. */
const READS: Record<string, string[]> = {
	account: ['accounts', 'orders', 'status'],
	authorization: ['orders'],
	certificate: ['certificates', 'renewals'],
	csr: ['csrs'],
	delegation: ['delegations'],
	event: ['orders'],
	job: ['jobs', 'accounts', 'csrs', 'checks'],
	order: ['orders', 'records', 'certificates', 'delegations', 'csrs', 'status'],
	record: ['records', 'orders'],
	session: ['session'],
	token: ['tokens'],
	user: ['users'],
	lane: ['status'],
	notice: ['notices', 'renewals'],
}

const GATHER_MS = 200
const LOOK_MS = 15_000
const RETRY_MS = [500, 1000, 1500, 2000, 2000, 3000, 5000]

let link: Link = 'connecting'
let onBroken: () => void = () => {}
const listeners = new Set<() => void>()

function setLink(next: Link) {
	if (next === link) return
	link = next
	for (const l of listeners) l()
}

export function useLink(): Link {
	return useSyncExternalStore(
		(l) => {
			listeners.add(l)
			return () => listeners.delete(l)
		},
		() => link,
	)
}

export function startLive(client: QueryClient): () => void {
	const channel = new BroadcastChannel('certwright-live')
	const ended = new AbortController()
	let leader = false
	let source: EventSource | null = null
	let failures = 0
	let timer: ReturnType<typeof setTimeout> | undefined
	let looking: ReturnType<typeof setInterval> | undefined
	let gathered = new Set<string>()
	let gathering: ReturnType<typeof setTimeout> | undefined

	const onHint = (hint: Hint) => {
		for (const key of READS[hint.kind] ?? [`${hint.kind}s`]) gathered.add(key)
		gathering ??= setTimeout(() => {
			const keys = gathered
			gathered = new Set()
			gathering = undefined
			for (const key of keys) void client.invalidateQueries({ queryKey: [key] })
		}, GATHER_MS)
	}
	const onLink = (next: Link) => {
		if (next !== 'lost' && link === 'lost') void client.invalidateQueries()
		setLink(next)
	}
	const tell = (note: Note) => channel.postMessage(note)

	const lost = () => {
		source?.close()
		source = null
		if (ended.signal.aborted) return
		failures++
		clearTimeout(timer)
		timer = setTimeout(open, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1])
		/* A stream may end while the server is there, and also because the session did: one request tells which. */
		void reached().then((yes) => {
			if (ended.signal.aborted || source?.readyState === EventSource.OPEN) return
			if (yes) void client.invalidateQueries()
			const next: Link = yes ? 'connecting' : 'lost'
			onLink(next)
			tell({ type: 'link', link: next })
		})
	}
	const broken = () => {
		if (leader) lost()
	}
	onBroken = () => (leader ? broken() : tell({ type: 'broken' }))
	const open = () => {
		source = new EventSource('/api/v1/events')
		source.onopen = () => {
			if (failures) void client.invalidateQueries()
			failures = 0
			onLink('connected')
			tell({ type: 'link', link: 'connected' })
		}
		source.onerror = lost
		source.addEventListener('change', (e) => {
			try {
				const hint = JSON.parse((e as MessageEvent<string>).data) as Hint
				onHint(hint)
				tell({ type: 'hint', hint })
			} catch {
				/* not a hint we know */
			}
		})
	}

	channel.onmessage = (e: MessageEvent<Note>) => {
		const note = e.data
		if (note.type === 'hint') onHint(note.hint)
		else if (note.type === 'link') onLink(note.link)
		else if (note.type === 'broken') broken()
		else if (leader) tell({ type: 'link', link })
	}
	tell({ type: 'hello' })
	const lead = () =>
		new Promise<void>((resolve) => {
			leader = true
			/* A cable that was pulled ends no connection: look now and then. */
			looking = setInterval(() => {
				if (document.visibilityState === 'visible' && link === 'connected') void probe()
			}, LOOK_MS)
			ended.signal.addEventListener('abort', () => resolve())
			open()
		})
	if (navigator.locks) navigator.locks.request('certwright-live', { signal: ended.signal }, lead).catch(() => {})
	else void lead()

	return () => {
		ended.abort()
		source?.close()
		channel.close()
		clearTimeout(timer)
		clearInterval(looking)
		clearTimeout(gathering)
		setLink('connecting')
	}
}

async function reached(): Promise<boolean> {
	try {
		await api.GET('/session', { signal: AbortSignal.timeout(3000) })
		return true
	} catch {
		return false
	}
}

/** A request failed to reach the server: ask at once whether it is there, without waiting for the stream to notice. */
export async function probe() {
	if (link === 'lost') return
	try {
		await fetch('/healthz', { signal: AbortSignal.timeout(3000), cache: 'no-store' })
	} catch {
		setLink('lost')
		onBroken()
	}
}
