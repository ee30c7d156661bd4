// SPDX-License-Identifier: Apache-2.0
// Activity: who did what, and the jobs.
import { Button, Tabs, Text } from '@mantine/core'
import { Link, useLocation } from 'wouter'
import { api, unwrap, type Audit, type Job } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Empty, Notice, Relative, sentence, Time, Tone, type ToneName } from '../parts/bits'
import { Page } from '../parts/page'
import { Choose, DataTable, NoneFits, TypedFilter, useFilters, useNewestFirst } from '../parts/table'
import { JobRows } from './bulk'
import { Detail } from './order'

const PLACES: Record<string, string> = { order: '/orders/', certificate: '/certificates/', csr: '/csrs/' }

export function ObjectLink({ kind, id, name }: { kind: string | null; id: string | null; name?: string | null }) {
	if (!kind) return <>–</>
	const text = name || kind
	const place = PLACES[kind]
	return (
		<>
			{place && id ? <Link href={place + id}>{text}</Link> : text}
			{name && (
				<Text size="xs" c="dimmed">
					{kind}
				</Text>
			)}
		</>
	)
}

const KINDS = ['account-register', 'account-refresh', 'account-contact', 'account-agree', 'account-rollover', 'account-reconcile', 'account-deactivate', 'account-watch', 'vendor-check', 'csr-create', 'renewal', 'renewal-info', 'renewal-check', 'certificate-revoke', 'preflight', 'delegation-check', 'delegation-watch', 'notify', 'channel-test', 'provider-test', 'provider-withdraw', 'provider-attach', 'provider-options', 'network-look', 'server-check', 'bulk', 'count', 'prune'] as const

function kindOf(kind: string): string {
	return kind === 'bulk' ? t('Action on many certificates') : sentence(kind.replace(/-/g, ' '))
}

const STATES = ['queued', 'running', 'done', 'failed'] as const

function JobsTable() {
	const [{ kind, state }, narrow] = useFilters('kind', 'state')
	const { sort, head } = useNewestFirst()
	const query = { ...(kind ? { kind } : {}), ...(state ? { state: state as Job['state'] } : {}), ...(sort ? { sort } : {}) }
	return (
		<DataTable<Job>
			label={t('Jobs')}
			queryKey={['jobs', query]}
			read={({ limit, cursor }) => unwrap(api.GET('/jobs', { params: { query: { ...query, limit, cursor } } }))}
			rowKey={(j) => j.id}
			filters={<><Choose label={t('What')} all={t('Every kind')} value={kind} onChange={(next) => narrow({ kind: next })} data={KINDS.map((k) => ({ value: k, label: kindOf(k) }))} /><Choose label={t('State')} all={t('Every state')} value={state} onChange={(next) => narrow({ state: next })} data={STATES.map((x) => ({ value: x, label: x }))} /></>}
			empty={kind || state ? <NoneFits /> : <Empty title={t('No job yet')}>{t('Whatever is done outside an order, such as registering an account, is a job and stands here.')}</Empty>}
			columns={[
				{ title: t('No.'), nowrap: true, render: (j) => j.num },
				{ title: t('What'), render: (j) => <>{kindOf(j.kind)}{j.kind === 'bulk' && <div><JobRows job={j} /></div>}</> },
				{ title: t('State'), render: (j) => <Tone tone={({ queued: 'calm', running: 'busy', done: 'good', failed: 'bad' } as Record<string, ToneName>)[j.state] ?? 'calm'}>{j.state}</Tone> },
				{
					title: t('Reason'),
					render: (j) =>
						j.reason ? (
							<span className="break">
								{sentence(j.reason.detail ?? j.reason.title)}
								{j.reason.remote && <p className="said">{j.reason.remote}</p>}
							</span>
						) : (
							'–'
						),
				},
				{ title: t('Attempts'), render: (j) => j.attempts },
				{ title: t('Next'), render: (j) => (j.next_at && (j.state === 'queued' || j.state === 'running') ? <Relative at={j.next_at} /> : '–') },
				{ title: t('Created At'), sort: head, render: (j) => <Time at={j.created_at} /> },
			]}
		/>
	)
}

export function ActivityPage({ tab }: { tab: 'audit' | 'jobs' }) {
	const may = useMay()
	const [, go] = useLocation()
	const shown = may('audit') ? tab : 'jobs'
	return (
		<Page title={t('Activity')}>
			{!may('audit') && may('admin') && <Notice tone="info">{t('Reading the audit is a right that no role has. An administrator grants it: Administration, Users, Edit.')}</Notice>}
			<Tabs value={shown} onChange={(v) => go(v === 'jobs' ? '/activity/jobs' : '/activity')} keepMounted={false}>
				<Tabs.List mb="md">
					{may('audit') && <Tabs.Tab value="audit">{t('Audit')}</Tabs.Tab>}
					<Tabs.Tab value="jobs">{t('Jobs')}</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="audit">
					<AuditTable />
				</Tabs.Panel>
				<Tabs.Panel value="jobs">
					<JobsTable />
				</Tabs.Panel>
			</Tabs>
		</Page>
	)
}

const SPANS: Record<string, number> = { hour: 3600_000, day: 86400_000, week: 7 * 86400_000, month: 30 * 86400_000 }

/* Whole hours, so that a page and the page after it ask for the same. */
function since(span: string): string | undefined {
	const ms = SPANS[span]
	return ms ? new Date(Math.floor((Date.now() - ms) / 60_000) * 60_000).toISOString() : undefined
}

function Changed({ a }: { a: Audit }) {
	const shown = [a.detail, a.before && { before: a.before }, a.after && { after: a.after }].filter(Boolean)
	return (
		<>
			{a.reason && <span className="break">{sentence(a.reason)}</span>}
			{shown.map((d, i) => (
				<Detail key={i} detail={d} />
			))}
			{!a.reason && shown.length === 0 && '–'}
		</>
	)
}

function AuditTable() {
	const { sort, head } = useNewestFirst()
	const [{ actor, object, action, span }, narrow] = useFilters('actor', 'object', 'action', 'span')
	const query = { ...(actor ? { actor } : {}), ...(object ? { object } : {}), ...(action ? { action } : {}), ...(since(span) ? { since: since(span) } : {}) }
	const csv = `/api/v1/audit.csv?${new URLSearchParams(query as Record<string, string>).toString()}`
	const narrowed = Boolean(actor || object || action || span)
	return (
		<>
			<DataTable<Audit>
				label={t('Audit')}
				queryKey={['audit', actor, object, action, span, sort]}
				read={({ limit, cursor }) => unwrap(api.GET('/audit', { params: { query: { limit, cursor, ...(sort ? { sort } : {}), ...query } } }))}
				filters={
					<>
						<TypedFilter label={t('Who')} value={actor} onChange={(next) => narrow({ actor: next })} w={150} />
						<TypedFilter label={t('Object')} value={object} onChange={(next) => narrow({ object: next })} w={220} />
						<TypedFilter label={t('What')} value={action} onChange={(next) => narrow({ action: next })} w={180} />
						<Choose label={t('Time')} all={t('ever')} value={span} onChange={(next) => narrow({ span: next })} data={[{ value: 'hour', label: t('last hour') }, { value: 'day', label: t('last day') }, { value: 'week', label: t('last 7 days') }, { value: 'month', label: t('last 30 days') }]} />
						<Button component="a" href={csv} download="certwright-audit.csv" variant="default" ml="auto">
							{t('Download CSV')}
						</Button>
					</>
				}
				rowKey={(a) => a.id}
				empty={narrowed ? <NoneFits /> : <Empty title={t('Nothing like this was done')} />}
				columns={[
					{ title: t('Time'), sort: head, render: (a) => <Time at={a.at} /> },
					{
						title: t('Who'),
						render: (a) => (
							<>
								{a.actor_name || '–'}
								{a.actor_kind !== 'user' && (
									<Text size="xs" c="dimmed">
										{a.token_name ? t('token {name}', { name: a.token_name }) : a.actor_kind}
									</Text>
								)}
							</>
						),
					},
					{ title: t('What'), render: (a) => a.action },
					{ title: t('Object'), render: (a) => <span className="break"><ObjectLink kind={a.object_kind} id={a.object_id} name={a.object_name} /></span> },
					{ title: t('From'), render: (a) => <span className="mono">{a.address ?? '–'}</span> },
					{ title: t('Details'), render: (a) => <Changed a={a} /> },
				]}
			/>
		</>
	)
}
