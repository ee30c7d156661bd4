// SPDX-License-Identifier: Apache-2.0
// A list of the server, page by page (cursors, no totals). On a narrow screen each row is a card.
import { ActionIcon, Group, NativeSelect, Skeleton } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
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
	const arrow = <span aria-hidden="true">{c.sort.active ? (c.sort.direction === 'ascending' ? '↑' : '↓') : ''}</span>
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

interface Props<T> {
	label: string
	queryKey: readonly unknown[]
	read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>
	columns: Column<T>[]
	rowKey: (row: T) => string
	empty: ReactNode
	filters?: ReactNode
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

export function DataTable<T>({ label, queryKey, read, columns, rowKey, empty, filters, onPage }: Props<T>) {
	const [size, setSize] = useLocalStorage({ key: 'cw-rows', defaultValue: '50', getInitialValueInEffect: false })
	const limit = SIZES.includes(size) ? Number(size) : 50
	/* The cursors of the pages before stand in the address bar, with what they belong to; another filter begins anew. */
	const of = mark(JSON.stringify([queryKey, limit]))
	const [search, setSearch] = useSearchParams()
	const trail = (search.get('at') ?? '').split('~')
	const cursors = trail[0] === of ? trail.slice(1) : []
	const turn = (next: string[]) =>
		setSearch((now) => {
			const p = new URLSearchParams(now)
			if (next.length) p.set('at', [of, ...next].join('~'))
			else p.delete('at')
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
			{filters && <div className="card-head">{filters}</div>}
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
