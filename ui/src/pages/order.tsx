// SPDX-License-Identifier: Apache-2.0
// One order: where it stands, what it waits for, what happened, in sentences, with the authority's own words beneath.
import { Button, Code, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { api, unwrap, type AcmeRecord, type OrderDetail, type OrderEvent } from '../api/client'
import { every } from '../api/awake'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, Clipped, CopyButton, CopyLine, dateText, Facts, isLive, Notice, OrderStatus, Relative, sentence, Soft, Staging, Time, Tone, type ToneName } from '../parts/bits'
import { CopyAs } from '../parts/copy-as'
import { Icon } from '../parts/icon'
import { useAct } from '../parts/form'
import { Card, Loaded, Page } from '../parts/page'
import { seenOf, ServerGrid } from '../parts/looks'
import { PlainTable } from '../parts/table'
import { keyTypeLabel } from './order-create'
import { DeleteOrder, useOrderActions } from './orders'
import { RecordStatus } from './dns-domains'

export function OrderPage({ id }: { id: string }) {
	const query = useQuery({ queryKey: ['orders', 'one', id], queryFn: () => unwrap(api.GET('/orders/{id}', { params: { path: { id } } })), refetchInterval: (q) => (q.state.data && isLive(q.state.data) ? every(15_000)() : false) })
	return <Loaded query={query}>{(order) => <OrderView order={order} />}</Loaded>
}

/* The steps of the engine, as the six stations a person sees. */
const STATIONS: [string, string[]][] = [
	['Ordered', ['queued', 'create', 'authorize']],
	['Published', ['publish']],
	['Seen', ['propagate']],
	['Validated', ['accept', 'validate', 'confirm']],
	['Finalized', ['finalize', 'collect']],
	['Issued', ['download']],
]

function stationName(name: string, validation: string): string {
	if (name === 'Ordered') return t('Ordered')
	if (name === 'Published') return t('Published')
	if (name === 'Seen') return validation === 'dns-01' ? t('Seen in DNS') : t('Answering')
	if (name === 'Validated') return t('Validated')
	if (name === 'Finalized') return t('Finalized')
	return t('Issued')
}

function Way({ order }: { order: OrderDetail }) {
	const at = order.status === 'valid' ? STATIONS.length : STATIONS.findIndex(([, steps]) => steps.includes(order.step))
	/* A failed order has left its step: the story tells how far it came; its records tell whether it was published. */
	const failed = order.status === 'invalid' || at < 0
	const reached = failed ? (order.authorizations.some((a) => a.status === 'valid') && order.authorizations.every((a) => a.status === 'valid') ? 4 : order.records.length ? 3 : 0) : at
	return (
		<ol className="way" aria-label={t('Where the order stands')}>
			{STATIONS.map(([name], i) => {
				const state = i < reached ? 'done' : i === reached ? (failed ? 'failed' : order.stage === 'waiting for you' || order.set_aside ? 'person' : 'now') : 'todo'
				return (
					<li key={name} data-state={state} aria-current={i === reached ? 'step' : undefined}>
						{stationName(name, order.validation)}
						{i === reached && !failed && order.status !== 'valid' && (
							<Text size="xs" c="dimmed" fw={400}>
								{sentence(order.stage)}
							</Text>
						)}
					</li>
				)
			})}
		</ol>
	)
}

function OrderView({ order }: { order: OrderDetail }) {
	const may = useMay()
	const [, go] = useLocation()
	const { busy, refresh, finalize, download } = useOrderActions(order)
	const [deleting, setDeleting] = useState(false)
	const person = order.stage === 'waiting for you' || (order.stage === 'ready to finalize' && order.mode === 'step-by-step') || order.set_aside
	const title = t('Order {n}', { n: order.num })

	useEffect(() => {
		if (!person || !isLive(order)) return
		const before = document.title
		document.title = `● ${t('Waiting for you')} · ${title}`
		return () => {
			document.title = before
		}
	}, [person, title, order])

	const manual = order.records.filter((r) => r.type.toLowerCase() === 'manual' && r.status !== 'withdrawn' && r.status !== 'valid')
	return (
		<Page
			title={title}
			heading={
				<>
					{title}
					<Text span c="dimmed" fw={400} inherit>
						{' '}
						{order.display_names[0] ?? order.names[0]}
						{order.names.length > 1 && ` +${order.names.length - 1}`}
					</Text>
				</>
			}
			crumbs={[{ text: t('Integrations') }, { text: t('ACME') }, { text: t('Orders'), href: '/orders' }]}
			badges={
				<>
					<OrderStatus order={order} />
					<Staging on={order.staging} />
				</>
			}
			actions={
				<>
					{may('order') && isLive(order) && (
						<Button variant="default" leftSection={<Icon name="refresh" size={16} />} loading={busy === 'refresh'} onClick={() => void refresh()}>
							{t('Refresh Order')}
						</Button>
					)}
					{may('order') && isLive(order) && (
						<Button variant={order.status === 'ready' ? 'filled' : 'default'} leftSection={<Icon name="finalize" size={16} />} disabled={order.status !== 'ready'} loading={busy === 'finalize'} onClick={() => void finalize()}>
							{t('Finalize Order')}
						</Button>
					)}
					{order.status === 'valid' && (
						<Button leftSection={<Icon name="download" size={16} />} loading={busy === 'download'} onClick={() => void download()}>
							{t('Download Certificate')}
						</Button>
					)}
					{may('order') && (
						<Button variant="subtle" color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(true)}>
							{t('Delete Order')}
						</Button>
					)}
					<CopyAs path={`/orders/${order.num}`} cli={['order', 'show', String(order.num)]} />
				</>
			}
		>
			<Card label={t('Where the order stands')}>
				<Way order={order} />
			</Card>
			{order.reason && <Because reason={order.reason} tone={order.status === 'invalid' ? 'bad' : 'warn'} />}
			{order.waiting_for && isLive(order) && (
				<Notice tone="info" title={t('Another order holds these names')}>
					{t('Authorities hand out one order per set of names. This one begins by itself when')} <Link className="inline-link" href={`/orders/${order.waiting_for}`}>{t('the other order')}</Link> {t('has sent its CSR.')}
				</Notice>
			)}
			{order.stage === 'ready to finalize' && order.mode === 'step-by-step' && <Notice tone="warn" title={t('Every name is validated. Press Finalize Order to get the certificate.')}>{order.expires_at && t('The authority keeps this order until {when}.', { when: dateText(order.expires_at) })}</Notice>}
			{manual.length > 0 && isLive(order) && <ManualRecords order={order} records={manual} onCheck={() => void refresh()} busy={busy === 'refresh'} may={may('order')} />}

			<div className="split">
				<Stack gap="md">
					<Card title={t('What happened')}>
						<Story events={order.events} />
					</Card>
			{order.records.length > 0 && !(manual.length > 0 && isLive(order)) && (
				<Card title={t('Challenge records')} pad={false}>
					<PlainTable<AcmeRecord>
						label={t('Challenge records')}
						rows={order.records}
						rowKey={(r) => r.id}
						columns={[
							{ title: t('Domain'), render: (r) => (r.url ? <Clipped text={r.url} /> : <Soft text={r.domain} />) },
							{ title: t('Type'), render: (r) => r.type },
							{ title: t('TTL'), render: (r) => (r.kind === 'dns-01' ? r.ttl : '–') },
							{ title: t('Value'), render: (r) => (
								<span style={{ display: 'flex', gap: 4, alignItems: 'center' }}>
									<Clipped text={r.value} />
									<CopyButton value={r.value} what={t('the value')} />
								</span>
							) },
							{ title: t('Status'), render: (r) => <RecordStatus record={r} /> },
						]}
					/>
				</Card>
			)}
			{!(manual.length > 0 && isLive(order)) && order.records.some((r) => seenOf(r)?.text) && (
				<Card title={t('What each server says')}>
					<Stack gap="md">
						{order.records.map((r) => (
							<ServerGrid key={r.id} record={r} />
						))}
					</Stack>
				</Card>
			)}
				</Stack>
				<Stack gap="md">
					<Card title={t('Names')} pad={false}>
						<PlainTable
							label={t('Names')}
							rows={order.authorizations.length ? order.authorizations : order.names.map((n) => ({ identifier: n, wildcard: false, status: 'not yet asked', challenge_status: null, expires_at: null, reason: null }))}
							rowKey={(a) => `${a.wildcard ? '*.' : ''}${a.identifier}`}
							columns={[
								{
									title: t('Domain Name'),
									render: (a) => (
										<span className="break">
											{a.wildcard && !a.identifier.startsWith('*.') ? `*.${a.identifier}` : a.identifier}
											{a.reason && <p className="said">{a.reason.remote ?? a.reason.detail ?? a.reason.title}</p>}
										</span>
									),
								},
								{ title: t('Authorization'), render: (a) => <AuthzStatus status={a.status} challenge={a.challenge_status} /> },
							]}
						/>
					</Card>
					<Card title={t('Details')}>
						<Facts
							rows={[
								[t('Vendor'), order.vendor_title],
								[t('Account Email'), order.account_email || order.account_name],
								[t('Validation Type'), order.validation],
								...(order.validation === 'dns-01' ? ([[t('External DNS'), order.external_dns || '–']] as [string, string][]) : []),
								[t('Mode'), order.mode === 'automatic' ? t('Automatic') : t('Step by step')],
								[t('Key type'), keyTypeLabel(order.key_type)],
								...(order.profile ? [[t('Profile'), order.profile_dropped ? t('{profile}: refused, ordered without', { profile: order.profile }) : order.profile] as [string, string]] : []),
								...(order.preferred_chain ? [[t('Preferred chain'), order.preferred_chain] as [string, string]] : []),
								...(order.not_after ? [[t('Not valid after'), order.not_after.slice(0, 10)] as [string, string]] : []),
								[t('CSR'), order.csr_id ? <Link href={`/csrs/${order.csr_id}`}>{t('Show the CSR')}</Link> : '–'],
								[t('Certificate'), order.certificate_id ? <Link href={`/certificates/${order.certificate_id}`}>{t('Show the certificate')}</Link> : '–'],
								...(isLive(order) && order.next_at ? ([[t('Looked at again'), <Relative key="n" at={order.next_at} coming />]] as [string, React.ReactNode][]) : []),
								...(isLive(order) && order.expires_at ? ([[t('Kept by the authority until'), <Time key="e" at={order.expires_at} />]] as [string, React.ReactNode][]) : []),
								...(isLive(order) && order.give_up_at ? ([[t('Given up'), <Relative key="g" at={order.give_up_at} />]] as [string, React.ReactNode][]) : []),
								[t('Created At'), <Time key="c" at={order.created_at} />],
								...(order.ended_at ? ([[t('Ended'), <Time key="d" at={order.ended_at} />]] as [string, React.ReactNode][]) : []),
								[t('Id'), <span key="i" className="mono">{order.id}</span>],
								...(order.url ? ([[t('Order URL'), <span key="u" className="mono break">{order.url}</span>]] as [string, React.ReactNode][]) : []),
							]}
						/>
					</Card>
				</Stack>
			</div>
			<DeleteOrder order={order} opened={deleting} onClose={() => setDeleting(false)} onDeleted={() => go('/orders')} />
		</Page>
	)
}

export function AuthzStatus({ status, challenge }: { status: string; challenge: string | null }) {
	const tones: Record<string, ToneName> = { valid: 'good', invalid: 'bad', expired: 'bad', revoked: 'bad', deactivated: 'calm', pending: 'busy' }
	return (
		<Tone tone={tones[status] ?? 'calm'} title={challenge && challenge !== status ? t('Challenge: {status}', { status: challenge }) : undefined}>
			{status}
		</Tone>
	)
}

function ManualRecords({ order, records, onCheck, busy, may }: { order: OrderDetail; records: AcmeRecord[]; onCheck: () => void; busy: boolean; may: boolean }) {
	const dns = order.validation === 'dns-01'
	const { busy: going, act } = useAct()
	const twins = dns && records.some((r, i) => records.some((o, k) => k !== i && o.domain === r.domain))
	return (
		<section className="card" aria-label={t('Waiting for you')}>
			<div className="card-head">
				<Group gap="sm">
					<Tone tone="warn">{t('Waiting for you')}</Tone>
					<Text fw={600}>{dns ? (records.length > 1 ? t('Set these TXT records, all of them') : t('Set this TXT record')) : t('Publish this on port 80')}</Text>
				</Group>
				{may && (
					<Group gap="xs">
						<Button size="compact-md" variant="default" loading={going === 'go-on'} onClick={() => void act('go-on', () => unwrap(api.POST('/orders/{id}/go-on', { params: { path: { id: order.id } } })), t('The order goes on; the authority decides.'), ['orders'])}>
							{t('Go on anyway')}
						</Button>
						<Button size="compact-md" loading={busy} onClick={onCheck}>
							{t('I have added it — check now')}
						</Button>
					</Group>
				)}
			</div>
			<div className="card-pad">
				<Stack gap="lg">
					{twins && <Text>{t('Two values stand at one name, for the name and for its wildcard: add each beside the other, replace nothing.')}</Text>}
					{records.map((r) => (
						<div key={r.id}>
							{dns ? (
								<Facts
									rows={[
										[t('Name'), <CopyLine key="n" value={r.domain} what={t('the name')} />],
										[t('Value'), <CopyLine key="v" value={r.value} what={t('the value')} />],
										...(r.bind_line ? ([[t('As a line for BIND'), <CopyLine key="b" value={r.bind_line} what={t('the line for BIND')} />]] as [string, React.ReactNode][]) : []),
										[t('Type'), <Group key="t" gap="md"><span>TXT</span><span className="quiet">{t('TTL {n}', { n: r.ttl })}</span><RecordStatus record={r} /></Group>],
									]}
								/>
							) : (
								<Facts
									rows={[
										[t('Address'), <CopyLine key="u" value={r.url ?? `http://${r.domain}/.well-known/acme-challenge/${r.token ?? ''}`} what={t('the address')} />],
										[t('Path'), <CopyLine key="p" value="/.well-known/acme-challenge/" what={t('the path')} />],
										[t('File name'), <CopyLine key="f" value={r.token ?? ''} what={t('the file name')} />],
										[t('Content'), <CopyLine key="v" value={r.value} what={t('the content')} />],
										[t('Status'), <RecordStatus key="s" record={r} />],
									]}
								/>
							)}
							<ServerGrid record={r} />
						</div>
					))}
					<Text c="dimmed" size="sm">
						{dns ? t('Certwright asks every authoritative server of the zone and goes on by itself when all of them have it.') : t('Certwright goes on by itself when the address answers with exactly this content.')}{' '}
						{order.give_up_at && t('It waits until {when}.', { when: dateText(order.give_up_at) })}
					</Text>
				</Stack>
			</div>
		</section>
	)
}

export function Story({ events }: { events: OrderEvent[] }) {
	if (!events.length) return <Text c="dimmed">{t('Nothing yet.')}</Text>
	let day = ''
	return (
		<ol className="story" aria-live="polite" aria-relevant="additions">
			{events.map((e) => {
				const d = new Date(e.at).toDateString()
				const first = d !== day
				day = d
				return (
					<li key={e.id} data-level={e.level}>
						<div className="when">
							{first && (
								<div className="quiet">
									<Time at={e.at} show="date" />
								</div>
							)}
							<Time at={e.at} show="clock" />
						</div>
						<div className="break">
							{sentence(e.text)}
							<Detail detail={e.detail} />
						</div>
					</li>
				)
			})}
		</ol>
	)
}

/** What came with an event: the other side's words first, anything else as it is. */
export function Detail({ detail }: { detail: unknown }) {
	if (detail === null || detail === undefined || detail === '') return null
	if (typeof detail === 'string') return <p className="said">{detail}</p>
	if (typeof detail !== 'object') return <p className="said">{String(detail)}</p>
	const d = detail as Record<string, unknown>
	const remote = typeof d.remote === 'string' ? d.remote : undefined
	const why = typeof d.detail === 'string' ? d.detail : undefined
	const type = typeof d.remote_type === 'string' ? d.remote_type : typeof d.type === 'string' ? d.type : undefined
	const known = remote !== undefined || why !== undefined
	if (known)
		return (
			<div className="said">
				{why !== undefined && why !== remote && <div>{why}</div>}
				{remote !== undefined && <div>{remote}</div>}
				{type !== undefined && <code>{type}</code>}
			</div>
		)
	if (Object.keys(d).length === 0) return null
	return (
		<details style={{ marginTop: 4 }}>
			<summary style={{ color: 'var(--mantine-color-dimmed)', fontSize: '0.8125rem', cursor: 'pointer' }}>{t('Details')}</summary>
			<Code block mt={4}>
				{JSON.stringify(detail, null, 2)}
			</Code>
		</details>
	)
}
