// SPDX-License-Identifier: Apache-2.0
// Activity: who did what, and the jobs.
import { Tabs, Text } from '@mantine/core'
import { Link, useLocation } from 'wouter'
import { api, unwrap, type Audit, type Job } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Empty, Relative, sentence, Time, Tone, type ToneName } from '../parts/bits'
import { Page } from '../parts/page'
import { DataTable } from '../parts/table'
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

export function ActivityPage({ tab }: { tab: 'audit' | 'jobs' }) {
	const may = useMay()
	const [, go] = useLocation()
	const shown = may('audit') ? tab : 'jobs'
	return (
		<Page title={t('Activity')}>
			<Tabs value={shown} onChange={(v) => go(v === 'jobs' ? '/activity/jobs' : '/activity')} keepMounted={false}>
				<Tabs.List mb="md">
					{may('audit') && <Tabs.Tab value="audit">{t('Audit')}</Tabs.Tab>}
					<Tabs.Tab value="jobs">{t('Jobs')}</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="audit">
					<DataTable<Audit>
						label={t('Audit')}
						queryKey={['audit']}
						read={({ limit, cursor }) => unwrap(api.GET('/audit', { params: { query: { limit, cursor } } }))}
						rowKey={(a) => a.id}
						empty={<Empty title={t('Nothing was done yet')} />}
						columns={[
							{ title: t('Time'), render: (a) => <Time at={a.at} /> },
							{
								title: t('Who'),
								render: (a) => (
									<>
										{a.actor_name}
										{a.actor_kind !== 'user' && (
											<Text size="xs" c="dimmed">
												{a.actor_kind}
											</Text>
										)}
									</>
								),
							},
							{ title: t('What'), render: (a) => a.action },
							{ title: t('Object'), render: (a) => <span className="break"><ObjectLink kind={a.object_kind} id={a.object_id} name={a.object_name} /></span> },
							{ title: t('From'), render: (a) => <span className="mono">{a.address ?? '–'}</span> },
							{ title: t('Details'), render: (a) => (a.detail === null || a.detail === undefined ? '–' : <Detail detail={a.detail} />) },
						]}
					/>
				</Tabs.Panel>
				<Tabs.Panel value="jobs">
					<DataTable<Job>
						label={t('Jobs')}
						queryKey={['jobs']}
						read={({ limit, cursor }) => unwrap(api.GET('/jobs', { params: { query: { limit, cursor } } }))}
						rowKey={(j) => j.id}
						empty={<Empty title={t('No job yet')}>{t('Whatever is done outside an order, such as registering an account, is a job and stands here.')}</Empty>}
						columns={[
							{ title: t('No.'), nowrap: true, render: (j) => j.num },
							{ title: t('What'), render: (j) => sentence(j.kind.replace(/-/g, ' ')) },
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
							{ title: t('Created At'), render: (j) => <Time at={j.created_at} /> },
						]}
					/>
				</Tabs.Panel>
			</Tabs>
		</Page>
	)
}
