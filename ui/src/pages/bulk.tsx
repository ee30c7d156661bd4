// SPDX-License-Identifier: Apache-2.0
// One action on many certificates: the bar above the list, what will happen to each, and what came of it.
import { Button, Checkbox, Group, Menu, Modal, NativeSelect, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { api, asError, unwrap, type ApiError, type Certificate, type Job, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { plural, t } from '../i18n'
import { Failure, Notice, Tone } from '../parts/bits'
import { AcceptCost } from '../parts/form'
import { ResultDialog, ResultTable } from '../parts/results'

type Body = Schemas['BulkCreate']
type Row = Schemas['RowResult']
export type Action = Body['action']

/** So many rows are looked at and shown; what a search finds is done by a job that goes through all of them. */
const MOST = 1000

/** What is selected: certificates one by one, or whatever a search finds. */
export type Selection = { ids: string[] } | { q: string }

function titleOf(action: Action): string {
	switch (action) {
		case 'renew':
			return t('Renew')
		case 'revoke':
			return t('Revoke')
		case 'revoke-and-replace':
			return t('Replace, then revoke')
		case 'add-tags':
			return t('Add tags')
		case 'remove-tags':
			return t('Remove tags')
		case 'set-owner':
			return t('Set owner')
		case 'renew-automatically':
			return t('Renew automatically')
		case 'only-watch':
			return t('Only watch')
		case 'delete':
			return t('Delete')
	}
}

/** What it does, in the words of the confirmation. */
function effectOf(action: Action): string {
	switch (action) {
		case 'renew':
			return t('An order is made for each, with the same names, account and validation, and carried through. What is in use stays until the new one is there.')
		case 'revoke':
			return t('Whoever checks revocation refuses them from then on, wherever they are installed. This cannot be undone.')
		case 'revoke-and-replace':
			return t('Each is renewed with a new key first, and revoked when the new one is there. The revocation cannot be undone.')
		case 'add-tags':
			return t('The tags are added to those that are there.')
		case 'remove-tags':
			return t('Other tags stay.')
		case 'set-owner':
			return t('The owner is replaced; tags and notes stay.')
		case 'renew-automatically':
			return t('They are renewed by themselves from now on.')
		case 'only-watch':
			return t('Nothing renews them by itself any more; you are told before they expire. An order under way goes on.')
		case 'delete':
			return t('They leave the inventory and are not renewed any more. They are not revoked.')
	}
}

function buttonOf(action: Action, n: number): string {
	switch (action) {
		case 'renew':
			return plural(n, 'Renew {n} certificate', 'Renew {n} certificates')
		case 'revoke':
			return plural(n, 'Revoke {n} certificate', 'Revoke {n} certificates')
		case 'revoke-and-replace':
			return plural(n, 'Replace and revoke {n} certificate', 'Replace and revoke {n} certificates')
		case 'delete':
			return plural(n, 'Delete {n} certificate', 'Delete {n} certificates')
		default:
			return plural(n, 'Change {n} certificate', 'Change {n} certificates')
	}
}

interface Progress {
	done: number
	refused: number
	job: number
}

/** Everything that a search finds, as a job of the server: it goes on when this page is closed. The first MOST rows of what came of it. */
async function store(q: string, body: Omit<Body, 'certificate_ids' | 'q' | 'cursor'>, told: (p: Progress) => void): Promise<{ rows: Row[]; more: boolean }> {
	let job = (await unwrap(api.POST('/certificate-actions', { body: { ...body, q, preview: false, stored: true } }))) as Job
	for (;;) {
		told({ ...countsOf(job), job: job.num })
		if (job.state === 'done' || job.state === 'failed') return rowsOf(job)
		await new Promise((go) => setTimeout(go, 700))
		job = await unwrap(api.GET('/jobs/{id}', { params: { path: { id: job.id } } }))
	}
}

function countsOf(job: Job): { done: number; refused: number } {
	const at = (job.result ?? {}) as { done?: number; refused?: number }
	return { done: at.done ?? 0, refused: at.refused ?? 0 }
}

/** What came of each so far, MOST rows at most, and why the rest was not done. */
async function rowsOf(job: Job): Promise<{ rows: Row[]; more: boolean }> {
	const rows: Row[] = []
	let cursor: string | null = null
	do {
		const page: Schemas['RowResultPage'] = await unwrap(api.GET('/jobs/{id}/rows', { params: { path: { id: job.id }, query: { limit: 200, ...(cursor ? { cursor } : {}) } } }))
		rows.push(...page.items)
		cursor = page.has_more ? page.cursor : null
	} while (cursor && rows.length < MOST)
	if (job.state === 'failed' && job.reason) rows.push({ ref: t('the rest'), certificate_id: null, certificate_num: null, display_names: [], order_id: null, order_num: null, job_id: null, existing: false, reason: job.reason })
	return { rows, more: cursor !== null }
}

/** One stretch, done while we wait. */
async function stretch(body: Body): Promise<Schemas['RowResultPage']> {
	return (await unwrap(api.POST('/certificate-actions', { body }))) as Schemas['RowResultPage']
}

/** All stretches of it, MOST rows at most. */
async function run(selection: Selection, body: Omit<Body, 'certificate_ids' | 'q' | 'cursor'>): Promise<{ rows: Row[]; more: boolean }> {
	const rows: Row[] = []
	if ('ids' in selection) {
		for (let i = 0; i < selection.ids.length; i += 200) rows.push(...(await stretch({ ...body, certificate_ids: selection.ids.slice(i, i + 200) })).items)
		return { rows, more: false }
	}
	let cursor: string | null = null
	do {
		const page: Schemas['RowResultPage'] = await stretch({ ...body, q: selection.q, ...(cursor ? { cursor } : {}) })
		rows.push(...page.items)
		cursor = page.has_more ? page.cursor : null
	} while (cursor && rows.length < MOST)
	return { rows, more: cursor !== null }
}

function Rows({ rows, over }: { rows: Row[]; over: boolean }) {
	const what = (r: Row) => {
		if (r.reason) return <Tone tone="bad">{over ? t('refused') : t('will be refused')}</Tone>
		if (r.existing) return <Tone tone="calm">{t('so already')}</Tone>
		return <Tone tone="good">{over ? (r.order_id || r.job_id ? t('under way') : t('done')) : t('will be done')}</Tone>
	}
	return (
		<div style={{ maxHeight: 360, overflow: 'auto' }} tabIndex={0} role="region" aria-label={over ? t('What came of it') : t('What will happen')}>
			<ResultTable<Row> label={over ? t('What came of it') : t('What will happen')} rows={rows} result={what} name={(r) => r.display_names[0] ?? r.ref} more={[{ title: t('Order'), nowrap: true, render: (r) => (r.order_num ? <Link href={`/orders/${r.order_num}`}>{t('Order {n}', { n: r.order_num })}</Link> : '–') }]} />
		</div>
	)
}

/** In the list of jobs: what came of each certificate of a stored action, also long after. */
export function JobRows({ job }: { job: Job }) {
	const [open, setOpen] = useState(false)
	const found = useQuery({ queryKey: ['job-rows', job.id, job.updated_at], queryFn: () => rowsOf(job), enabled: open })
	return (
		<>
			<Button size="compact-xs" variant="transparent" p={0} onClick={() => setOpen(true)}>
				{t('{done} done, {refused} refused', countsOf(job))}
			</Button>
			{open && (
				<ResultDialog title={t('Job {n}: what came of each certificate', { n: job.num })} onClose={() => setOpen(false)}>
					{found.error && <Failure error={asError(found.error)} />}
					{found.data?.more && <OnlyTheFirst n={found.data.rows.length} job={job.num} />}
					{found.data && <Rows rows={found.data.rows} over />}
				</ResultDialog>
			)}
		</>
	)
}

function OnlyTheFirst({ n, job }: { n: number; job: number }) {
	return <Notice tone="warn">{t('Only the first {n} are shown; the command line shows all: certwright job rows {job}', { n, job })}</Notice>
}

export function BulkDialog({ action, selection, onClose, onDone }: { action: Action; selection: Selection; onClose: () => void; onDone: () => void }) {
	const client = useQueryClient()
	const [tags, setTags] = useState<string[]>([])
	const [owner, setOwner] = useState('')
	const [reason, setReason] = useState('unspecified')
	const [pay, setPay] = useState(false)
	const [busy, setBusy] = useState(false)
	const [error, setError] = useState<ApiError | null>(null)
	const [progress, setProgress] = useState<Progress | null>(null)
	const [plan, setPlan] = useState<{ rows: Row[]; more: boolean } | null>(null)
	const [result, setResult] = useState<{ rows: Row[]; more: boolean } | null>(null)
	const revokes = action === 'revoke' || action === 'revoke-and-replace'
	const tagging = action === 'add-tags' || action === 'remove-tags'
	const body = (preview: boolean, accept: boolean) => ({
		action,
		preview,
		accept_cost: accept,
		...(tagging ? { tags } : {}),
		...(action === 'set-owner' ? { owner: owner.trim() } : {}),
		...(revokes && reason ? { reason: reason as NonNullable<Body['reason']> } : {}),
	})
	const go = async (preview: boolean, accept = pay) => {
		setBusy(true)
		setError(null)
		try {
			const got = !preview && 'q' in selection ? await store(selection.q, body(false, accept), setProgress) : await run(selection, body(preview, accept))
			if (preview) setPlan(got)
			else {
				setResult(got)
				for (const key of ['certificates', 'orders', 'renewals', 'jobs', 'notices', 'status']) void client.invalidateQueries({ queryKey: [key] })
				onDone()
			}
		} catch (e) {
			setError(asError(e))
		} finally {
			setBusy(false)
		}
	}
	const title = t('{action}: many certificates', { action: titleOf(action) })
	const willDo = plan?.rows.filter((r) => !r.reason).length ?? 0
	const costs = pay || (plan?.rows.some((r) => r.reason?.code === 'needs-person') ?? false)
	if (result) {
		const refused = result.rows.filter((r) => r.reason).length
		return (
			<ResultDialog title={title} onClose={onClose}>
				<Text>{refused ? t('{done} of {all} are done or under way; {refused} were refused.', { done: result.rows.length - refused, all: result.rows.length, refused }) : plural(result.rows.length, '{n} certificate is done or under way.', '{n} certificates are done or under way.')}</Text>
				{result.more && <OnlyTheFirst n={result.rows.length} job={progress?.job ?? 0} />}
				<Rows rows={result.rows} over />
			</ResultDialog>
		)
	}
	return (
		<Modal opened onClose={onClose} title={title} size="xl" closeOnClickOutside={false}>
			<Stack gap="md">
				<Text>{effectOf(action)}</Text>
				{!plan && tagging && <TagsInput size="md" label={t('Tags')} description={t('Letters, digits and - _ . / =; press Enter after each.')} value={tags} onChange={setTags} data-autofocus />}
				{!plan && action === 'set-owner' && <TextInput label={t('Owner')} description={t('Empty: nobody.')} value={owner} maxLength={254} onChange={(e) => setOwner(e.currentTarget.value)} data-autofocus />}
				{!plan && revokes && (
					<NativeSelect
						label={t('Reason')}
						value={reason}
						onChange={(e) => setReason(e.currentTarget.value)}
						data={[
							{ value: 'unspecified', label: t('Unspecified') },
							{ value: 'key-compromise', label: t('The key may be in other hands') },
							{ value: 'superseded', label: t('It was replaced') },
							{ value: 'cessation-of-operation', label: t('It is not used any more') },
							{ value: '', label: t('Give none') },
						]}
					/>
				)}
				{plan && <Rows rows={plan.rows} over={false} />}
				{plan?.rows.length === 0 && <Text c="dimmed">{t('No certificate is found.')}</Text>}
				{plan?.more && <Notice tone="warn">{t('The search finds more than these {n}; all that it finds will be done.', { n: plan.rows.length })}</Notice>}
				{plan && costs && (
					<AcceptCost
						description={t('Without it certificates of an authority that charges are left out.')}
						checked={pay}
						disabled={busy}
						onChange={(e) => {
							setPay(e.currentTarget.checked)
							void go(true, e.currentTarget.checked)
						}}
					/>
				)}
				{busy && progress && <Notice tone="info">{t('{done} done, {refused} refused so far. Job {job} goes on when you leave this page.', { done: progress.done, refused: progress.refused, job: progress.job })}</Notice>}
				{error && <Failure error={error} />}
				<Group justify="flex-end" gap="xs">
					<Button variant="default" onClick={plan ? () => setPlan(null) : onClose}>
						{plan ? t('Back') : t('Cancel')}
					</Button>
					{plan ? (
						<Button color={revokes || action === 'delete' ? 'red' : undefined} loading={busy} disabled={willDo === 0 && !plan.more} onClick={() => void go(false)}>
							{plan.more ? t('{action}: all that is found', { action: titleOf(action) }) : buttonOf(action, willDo)}
						</Button>
					) : (
						<Button loading={busy} disabled={tagging && tags.length === 0} onClick={() => void go(true)}>
							{t('See what will happen')}
						</Button>
					)}
				</Group>
			</Stack>
		</Modal>
	)
}

/** What can be done with what is selected, or with everything that the search finds. */
export function BulkBar({ selected, shown, q, onChange }: { selected: Certificate[]; shown: Certificate[]; q: string; onChange: (next: Certificate[]) => void }) {
	const may = useMay()
	const [asked, setAsked] = useState<{ action: Action; selection: Selection } | null>(null)
	const actions: Action[] = [
		...(may('order') ? (['renew', 'add-tags', 'remove-tags', 'set-owner', 'renew-automatically', 'only-watch'] as const) : []),
		...(may('revoke') ? (['revoke'] as const) : []),
		...(may('revoke') && may('order') ? (['revoke-and-replace'] as const) : []),
		...(may('order') ? (['delete'] as const) : []),
	]
	if (actions.length === 0) return null
	const menu = (label: string, selection: Selection) => (
		<Menu position="bottom-start">
			<Menu.Target>
				<Button size="xs" variant="default">
					{label}
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				{actions.map((action) => (
					<Menu.Item key={action} color={action === 'revoke' || action === 'revoke-and-replace' || action === 'delete' ? 'red' : undefined} onClick={() => setAsked({ action, selection })}>
						{titleOf(action)}
					</Menu.Item>
				))}
			</Menu.Dropdown>
		</Menu>
	)
	const all = shown.length > 0 && shown.every((c) => selected.some((s) => s.id === c.id))
	return (
		<Group gap="sm" role="group" aria-label={t('Many at once')}>
			<Checkbox
				size="sm"
				label={t('All on this page')}
				checked={all}
				indeterminate={!all && selected.length > 0}
				onChange={() => onChange(all ? selected.filter((s) => !shown.some((c) => c.id === s.id)) : [...selected, ...shown.filter((c) => !selected.some((s) => s.id === c.id))])}
			/>
			{selected.length > 0 && (
				<>
					{menu(plural(selected.length, 'With {n} selected', 'With {n} selected'), { ids: selected.map((c) => c.id) })}
					<Button size="xs" variant="subtle" onClick={() => onChange([])}>
						{t('Select none')}
					</Button>
				</>
			)}
			{q && selected.length === 0 && menu(t('With all that the search finds'), { q })}
			{asked && <BulkDialog action={asked.action} selection={asked.selection} onClose={() => setAsked(null)} onDone={() => onChange([])} />}
		</Group>
	)
}
