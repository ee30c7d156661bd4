// SPDX-License-Identifier: Apache-2.0
// A list of the server, page by page (cursors, no totals). On a narrow screen each row is a card.
import { ActionIcon, Group, NativeSelect, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedCallback, useLocalStorage } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import type { Page } from '../api/client'
import { t } from '../i18n'
import { Empty, Failure } from './bits'
import { Icon } from './icon'

export interface Column<T> {
	title: string
	hideTitle?: boolean
	render: (row: T) => ReactNode
	width?: number | string
	end?: boolean
	nowrap?: boolean
	/** How the server orders the list by this column, whether it does now, and what the head does when pressed. */
	sort?: { direction: 'ascending' | 'descending'; active: boolean; choose?: () => void }
}

function Head<T>({ column: c }: { column: Column<T> }) {
	if (c.hideTitle) return <span className="mantine-visually-hidden-static">{c.title}</span>
	if (!c.sort) return <>{c.title}</>
	const arrow = <span aria-hidden="true">{c.sort.active ? (c.sort.direction === 'ascending' ? '↑' : '↓') : c.sort.choose ? '↕' : ''}</span>
	if (!c.sort.choose)
		return (
			<span className="sort">
				{c.title} {arrow}
			</span>
		)
	return (
		<button type="button" className="sort" onClick={c.sort.choose}>
			{c.title} {arrow}
		</button>
	)
}

/** Where the pages of a list stand in the address bar, by any of its words there: rule-name, rule-at. */
const placeOf = (key: string) => key.replace(/[^-]*$/, 'at')

/** What a list is narrowed to, in the address bar; another narrowing begins at its first page. */
export function useFilters<K extends string>(...names: K[]): [Record<K, string>, (next: Partial<Record<K, string>>) => void] {
	const [search, setSearch] = useSearchParams()
	const values = Object.fromEntries(names.map((n) => [n, search.get(n) ?? ''])) as Record<K, string>
	const set = (next: Partial<Record<K, string>>) =>
		setSearch(
			(now) => {
				const p = new URLSearchParams(now)
				for (const [k, v] of Object.entries(next) as [K, string | undefined][]) {
					p.delete(placeOf(k))
					if (v) p.set(k, v)
					else p.delete(k)
				}
				return p
			},
			{ replace: true },
		)
	return [values, set]
}

type Sorting = NonNullable<Column<unknown>['sort']>
type Time = 'newest' | 'oldest'

/** What stands first in a list, as the address bar says, else `first`: `when` is the head of a column of times, `by` of another one. */
export function useSort<W extends string = never>(words: readonly W[], first: Time, key = 'sort') {
	const [values, set] = useFilters(key)
	const sort = (['newest', 'oldest', ...words] as const).find((w) => w === values[key]) ?? first
	const go = (next: Time | W) => set({ [key]: next === first ? '' : next })
	const when: Sorting = { direction: sort === 'oldest' ? 'ascending' : 'descending', active: sort === 'newest' || sort === 'oldest', choose: () => go(sort === 'newest' ? 'oldest' : 'newest') }
	const by = (word: W): Sorting => ({ direction: 'ascending', active: sort === word, choose: () => go(sort === word ? first : word) })
	return { sort, when, by }
}

/** The newest or the oldest first; a list that has the newest first is not asked for it. */
export function useNewestFirst() {
	const { sort, when } = useSort([], 'newest')
	return { sort: sort === 'oldest' ? sort : undefined, head: when }
}

/** A part of a text that the server looks for, once it is long enough. */
export function FindText({ value, onChange, label, hint, least = 3 }: { value: string; onChange: (next: string) => void; label: string; hint: string; least?: number }) {
	const [text, setText] = useState(value)
	const [was, setWas] = useState(value)
	if (value !== was) {
		setWas(value)
		setText(value)
	}
	const short = text.trim().length > 0 && text.trim().length < least
	return (
		<form
			role="search"
			aria-label={label}
			style={{ flex: '1 1 260px', maxWidth: 420 }}
			onSubmit={(e) => {
				e.preventDefault()
				if (!short) onChange(text.trim().toLowerCase())
			}}
		>
			<TextInput
				size="sm"
				aria-label={label}
				placeholder={hint}
				maxLength={253}
				spellCheck={false}
				leftSection={<Icon name="search" size={16} />}
				rightSection={
					value && (
						<ActionIcon variant="subtle" color="gray" aria-label={t('Remove {term}', { term: value })} onClick={() => onChange('')}>
							<Icon name="close" size={14} />
						</ActionIcon>
					)
				}
				error={short ? t('Three characters or more.') : undefined}
				value={text}
				onChange={(e) => setText(e.currentTarget.value)}
			/>
		</form>
	)
}

/** A text the list is narrowed to while it is typed: the address bar is told when the typing pauses. */
export function TypedFilter({ label, value, onChange, w }: { label: string; value: string; onChange: (next: string) => void; w: number }) {
	const [text, setText] = useState(value)
	const [was, setWas] = useState(value)
	const told = useRef(value)
	if (value !== was) {
		setWas(value)
		if (value !== told.current) setText(value) /* somebody went back, or to a link */
	}
	const tell = useDebouncedCallback((next: string) => {
		told.current = next
		onChange(next)
	}, 300)
	return (
		<TextInput
			size="sm"
			w={w}
			aria-label={label}
			placeholder={label}
			spellCheck={false}
			value={text}
			onChange={(e) => {
				setText(e.currentTarget.value)
				tell(e.currentTarget.value.trim())
			}}
		/>
	)
}

/** One of a few values, or all of them. */
export function Choose({ label, all, value, onChange, data }: { label: string; all: string; value: string; onChange: (next: string) => void; data: readonly { value: string; label: string }[] }) {
	return <NativeSelect aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value)} data={[{ value: '', label: all }, ...data]} />
}

/** Nothing fits what the list is narrowed to. */
export function NoneFits() {
	return <Empty title={t('Nothing is found')}>{t('Nothing here fits what the list is narrowed to.')}</Empty>
}

interface Props<T> {
	label: string
	queryKey: readonly unknown[]
	read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>
	columns: Column<T>[]
	rowKey: (row: T) => string
	empty: ReactNode
	filters?: ReactNode
	/** Tells two lists of one page apart in the address bar. */
	prefix?: string
	/** Told of the rows that are shown, whenever they change. */
	onPage?: (rows: T[]) => void
}

const SIZES = ['25', '50', '100', '200']

/** A short mark of a text, to see whether a cursor belongs to the list that is shown. */
function mark(text: string): string {
	let h = 0
	for (let i = 0; i < text.length; i++) h = (h * 31 + text.charCodeAt(i)) | 0
	return (h >>> 0).toString(36)
}

export function DataTable<T>({ label, queryKey, read, columns, rowKey, empty, filters, prefix = '', onPage }: Props<T>) {
	const [size, setSize] = useLocalStorage({ key: 'cw-rows', defaultValue: '50', getInitialValueInEffect: false })
	const limit = SIZES.includes(size) ? Number(size) : 50
	/* The cursors of the pages before stand in the address bar, with what they belong to; another filter begins anew. */
	const of = mark(JSON.stringify([queryKey, limit]))
	const [search, setSearch] = useSearchParams()
	const place = placeOf(prefix)
	const trail = (search.get(place) ?? '').split('~')
	const cursors = trail[0] === of ? trail.slice(1) : []
	const turn = (next: string[]) =>
		setSearch((now) => {
			const p = new URLSearchParams(now)
			if (next.length) p.set(place, [of, ...next].join('~'))
			else p.delete(place)
			return p
		})
	const cursor = cursors[cursors.length - 1]
	const query = useQuery({ queryKey: [...queryKey, { limit, cursor }], queryFn: () => read({ limit, cursor }), placeholderData: keepPreviousData })
	const page = query.data
	useEffect(() => {
		if (page) onPage?.(page.items)
	}, [page, onPage])

	if (query.isError && !page) return <Failure error={query.error} retry={() => void query.refetch()} />
	const bare = page && page.items.length === 0 && cursors.length === 0 && !page.has_more
	return (
		<section className="card" aria-label={label} aria-busy={query.isFetching}>
			{filters && <div className="card-head filters">{filters}</div>}
			{bare ? (
				empty
			) : (
				<>
					<div className="table-wrap">
						<table className="table" aria-label={label}>
							<thead>
								<tr>
									{columns.map((c) => (
										<th key={c.title} scope="col" aria-sort={c.sort?.active ? c.sort.direction : c.sort ? 'none' : undefined} className={c.end ? 'end' : undefined} style={{ width: c.width }}>
											<Head column={c} />
										</th>
									))}
								</tr>
							</thead>
							<tbody>
								{page
									? page.items.map((row) => (
											<tr key={rowKey(row)}>
												{columns.map((c) => (
													<td key={c.title} data-label={c.title} className={[c.end && 'end', c.nowrap && 'nowrap'].filter(Boolean).join(' ') || undefined}>
														<div>{c.render(row)}</div>
													</td>
												))}
											</tr>
										))
									: Array.from({ length: 6 }, (_, i) => (
											<tr key={i}>
												<td colSpan={columns.length}>
													<Skeleton height={18} />
												</td>
											</tr>
										))}
							</tbody>
						</table>
					</div>
					{page && (cursors.length > 0 || page.has_more || page.items.length > 10) && (
						<div className="table-foot">
							<Group gap="xs">
								<span id={`${label}-rows`}>{t('Rows per page')}</span>
								<NativeSelect size="xs" aria-labelledby={`${label}-rows`} data={SIZES} value={String(limit)} onChange={(e) => {
									turn([])
									setSize(e.currentTarget.value)
								}} />
							</Group>
							<Group gap="xs">
								<span>{t('Page {n}', { n: cursors.length + 1 })}</span>
								<ActionIcon variant="default" aria-label={t('Previous page')} disabled={cursors.length === 0} onClick={() => turn(cursors.slice(0, -1))}>
									<Icon name="left" size={16} />
								</ActionIcon>
								<ActionIcon variant="default" aria-label={t('Next page')} disabled={!page.has_more || !page.cursor} onClick={() => page.cursor && turn([...cursors, page.cursor])}>
									<Icon name="right" size={16} />
								</ActionIcon>
							</Group>
						</div>
					)}
				</>
			)}
		</section>
	)
}

/** A list without pages, for things that are few. */
export function PlainTable<T>({ label, rows, columns, rowKey }: { label: string; rows: T[]; columns: Column<T>[]; rowKey: (row: T) => string }) {
	return (
		<div className="table-wrap">
			<table className="table" aria-label={label}>
				<thead>
					<tr>
						{columns.map((c) => (
							<th key={c.title} scope="col" style={{ width: c.width }}>
								{c.hideTitle ? <span className="mantine-visually-hidden-static">{c.title}</span> : c.title}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((row) => (
						<tr key={rowKey(row)}>
							{columns.map((c) => (
								<td key={c.title} data-label={c.title} className={c.nowrap ? 'nowrap' : undefined}>
									<div>{c.render(row)}</div>
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	)
}

export { Empty }
