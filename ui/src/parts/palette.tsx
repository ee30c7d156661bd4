// SPDX-License-Identifier: Apache-2.0
// "/" or Ctrl-K: go to a page, to an object by name, number, id or serial, or begin something. The server looks, in all there is.
import { Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { api, asError, unwrap, type Account, type Certificate, type Csr, type Order } from '../api/client'
import { t } from '../i18n'
import { Icon, type IconName } from './icon'

export interface Target {
	key: string
	text: string
	more?: string
	icon: IconName
	href: string
}

const EACH = 200 /* the newest of what the server has no search for: serial numbers */
const FEW = 20
const SHOWN = 12

function fits(words: string[], ...texts: (string | number | null | undefined)[]): boolean {
	const all = texts.filter((x) => x !== null && x !== undefined).join(' ').toLowerCase()
	return words.every((w) => all.includes(w))
}

/* By the number or id that a word is, else by a part of a name. Words such as "order" and states say which are meant. */
const reference = (words: string[]) => words.find((w) => /^\d{1,12}$/.test(w) || /^[0-9a-hjkmnp-tv-z]{26}$/.test(w))
const longest = (words: string[]) => [...words].sort((a, b) => b.length - a.length)[0] ?? ''

/** One object by its number or id; none, where there is none. */
async function one<T>(read: (id: string) => Promise<T>, id: string | undefined): Promise<T[]> {
	if (!id) return []
	return [await read(/^\d+$/.test(id) ? id : id.toUpperCase())].filter(Boolean)
}
const unique = <T extends { id: string }>(rows: T[]) => rows.filter((x, i) => rows.findIndex((y) => y.id === x.id) === i)
const absent = (e: unknown) => {
	if (asError(e).status === 404 || asError(e).status === 400) return []
	throw e
}

async function findOrders(words: string[]): Promise<Order[]> {
	const name = longest(words.filter((w) => !fits([w], t('Order'), 'pending ready processing valid invalid')))
	const status = (['pending', 'ready', 'processing', 'valid', 'invalid'] as const).find((s) => words.includes(s))
	const [exact, named, stated] = await Promise.all([
		one((id) => unwrap(api.GET('/orders/{id}', { params: { path: { id } } })), reference(words)).catch(absent),
		name.length >= 3 ? unwrap(api.GET('/orders', { params: { query: { name, limit: FEW } } })).then((p) => p.items) : [],
		status && !name ? unwrap(api.GET('/orders', { params: { query: { status, limit: FEW } } })).then((p) => p.items) : [],
	])
	return unique([...exact, ...[...named, ...stated].filter((o) => fits(words, t('Order'), o.num, o.status, ...o.display_names, ...o.names))])
}

async function findCertificates(words: string[]): Promise<Certificate[]> {
	const names = words.filter((w) => !fits([w], t('Certificate')) && !/[:<>"]/.test(w))
	const q = names.join(' ')
	const serial = q.replace(/[:\s]/g, '')
	const [exact, named, bySerial] = await Promise.all([
		one((id) => unwrap(api.GET('/certificates/{id}', { params: { path: { id } } })), reference(words)).catch(absent),
		q.length >= 3 ? unwrap(api.GET('/certificates', { params: { query: { q, limit: FEW } } })).then((p) => p.items).catch(absent) : [],
		/^[0-9a-f]{4,}$/.test(serial) ? unwrap(api.GET('/certificates', { params: { query: { limit: EACH } } })).then((p) => p.items.filter((c) => c.serial?.replace(/:/g, '').toLowerCase().includes(serial))) : [],
	])
	return unique([...exact, ...named, ...bySerial])
}

async function findCsrs(words: string[]): Promise<Csr[]> {
	const name = longest(words.filter((w) => w !== 'csr'))
	const [exact, named] = await Promise.all([
		one((id) => unwrap(api.GET('/csrs/{id}', { params: { path: { id } } })), reference(words)).catch(absent),
		name.length >= 3 ? unwrap(api.GET('/csrs', { params: { query: { name, limit: FEW } } })).then((p) => p.items) : [],
	])
	return unique([...exact, ...named.filter((c) => fits(words, 'CSR', c.num, ...c.display_names, ...c.names))])
}

async function findAccounts(words: string[]): Promise<Account[]> {
	const q = longest(words.filter((w) => !fits([w], t('Account'))))
	const [exact, named] = await Promise.all([
		one((id) => unwrap(api.GET('/accounts/{id}', { params: { path: { id } } })), reference(words)).catch(absent),
		q || words.length ? unwrap(api.GET('/accounts', { params: { query: { ...(q ? { q } : {}), limit: FEW } } })).then((p) => p.items) : [],
	])
	return unique([...exact, ...named.filter((a) => fits(words, t('Account'), a.num, a.label, a.name, a.email, a.directory_url, a.eab_kid))])
}

async function find(text: string): Promise<Target[]> {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean)
	if (!words.length) return []
	const [orders, certificates, csrs, accounts] = await Promise.all([findOrders(words), findCertificates(words), findCsrs(words), findAccounts(words)])
	const name = (names: string[]) => names.find((n) => fits(words, n)) ?? names[0] ?? ''
	return [
		...certificates.map((c): Target => ({ key: c.id, icon: 'certificate', text: name(c.display_names), more: t('Certificate {n}', { n: c.num }), href: `/certificates/${c.num}` })),
		...orders.map((o): Target => ({ key: o.id, icon: 'order', text: name(o.display_names), more: `${t('Order {n}', { n: o.num })} · ${o.status}`, href: `/orders/${o.num}` })),
		...csrs.map((c): Target => ({ key: c.id, icon: 'csr', text: name(c.display_names), more: `CSR ${c.num}`, href: `/csrs/${c.num}` })),
		...accounts.map((a): Target => ({ key: a.id, icon: 'account', text: a.label, more: t('Account'), href: '/accounts' })),
	]
}

/** The key that opens it, unless somebody is typing. */
export function usePalette(): [boolean, (on: boolean) => void] {
	const [open, setOpen] = useState(false)
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			const el = e.target as HTMLElement | null
			const typing = !!el && (/^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) || el.isContentEditable)
			const hit = ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') || (e.key === '/' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey)
			if (!hit || document.querySelector('[role="dialog"]')) return
			e.preventDefault()
			setOpen(true)
		}
		addEventListener('keydown', onKey)
		return () => removeEventListener('keydown', onKey)
	}, [])
	return [open, setOpen]
}

export function Palette({ pages, onClose }: { pages: Target[]; onClose: () => void }) {
	const [, go] = useLocation()
	const [text, setText] = useState('')
	const [asked] = useDebouncedValue(text.trim(), 200)
	const [at, setAt] = useState(0)
	const list = useRef<HTMLUListElement>(null)
	const found = useQuery({ queryKey: ['palette', asked], queryFn: () => find(asked), enabled: asked.length > 0, staleTime: 15_000 })
	const words = text.toLowerCase().split(/\s+/).filter(Boolean)
	const rows = [...pages.filter((p) => fits(words, p.text, p.more)), ...(asked === text.trim() ? (found.data ?? []) : [])].slice(0, SHOWN)
	const here = Math.min(at, rows.length - 1)
	useEffect(() => setAt(0), [text])
	useEffect(() => {
		void list.current?.children[here]?.scrollIntoView({ block: 'nearest' })
	}, [here])
	const choose = (row: Target | undefined) => {
		if (!row) return
		onClose()
		go(row.href)
	}
	return (
		<Modal opened onClose={onClose} title={t('Go to')} size="lg" yOffset="10vh" centered={false}>
			<TextInput
				data-autofocus
				aria-label={t('Page, name, number or serial')}
				placeholder={t('Page, name, number or serial')}
				leftSection={<Icon name="search" size={16} />}
				role="combobox"
				aria-expanded="true"
				aria-controls="palette-rows"
				aria-activedescendant={rows.length ? `palette-${here}` : undefined}
				autoComplete="off"
				spellCheck={false}
				value={text}
				onChange={(e) => setText(e.currentTarget.value)}
				onKeyDown={(e) => {
					if (e.key === 'ArrowDown') setAt((here + 1) % Math.max(1, rows.length))
					else if (e.key === 'ArrowUp') setAt((here - 1 + rows.length) % Math.max(1, rows.length))
					else if (e.key === 'Enter') choose(rows[here])
					else return
					e.preventDefault()
				}}
			/>
			<ul className="palette" id="palette-rows" role="listbox" aria-label={t('Go to')} ref={list}>
				{rows.map((r, i) => (
					<li key={`${r.key}-${i}`} id={`palette-${i}`} role="option" aria-selected={i === here} onPointerMove={() => setAt(i)} onClick={() => choose(r)}>
						<Icon name={r.icon} />
						<span className="break">{r.text}</span>
						{r.more && <span className="quiet">{r.more}</span>}
					</li>
				))}
			</ul>
			{!rows.length && text.trim() && !found.isFetching && <p className="quiet">{t('Nothing of this name.')}</p>}
		</Modal>
	)
}
