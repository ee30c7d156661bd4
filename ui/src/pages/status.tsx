// SPDX-License-Identifier: Apache-2.0
// Administration › Status: how the server is, whether everything is right, and what those are given who help or judge.
import { Button, List, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { every } from '../api/awake'
import { api, downloadSupportBundle, unwrap, type Status } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Empty, Facts, Notice, Relative, Time, Tone } from '../parts/bits'
import { Confirm } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card, Loaded, Page } from '../parts/page'
import { PlainTable } from '../parts/table'
import { ForAuditor } from './auditor'
import { Checks } from './checks'

export function StatusPage() {
	const may = useMay()
	const [bundling, setBundling] = useState(false)
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')), refetchInterval: every(10_000) })
	return (
		<Page
			title={t('Status')}
			crumbs={[{ text: t('Administration') }]}
			actions={
				may('admin') && (
					<Button variant="default" leftSection={<Icon name="download" size={16} />} onClick={() => setBundling(true)}>
						{t('Support bundle')}
					</Button>
				)
			}
		>
			{may('admin') && <Checks />}
			<Loaded query={status}>{(s) => <StatusView s={s} />}</Loaded>
			{may('audit') && <ForAuditor />}
			<Text c="dimmed" size="sm">
				<a href="/third-party.txt" target="_blank" rel="noreferrer">
					{t('Parts of this page made by others, and their licences')}
				</a>
			</Text>
			{bundling && <SupportBundle onClose={() => setBundling(false)} />}
		</Page>
	)
}

/** What leaves the house, said before it does. */
function SupportBundle({ onClose }: { onClose: () => void }) {
	return (
		<Confirm opened danger={false} title={t('Support bundle')} action={t('Download')} onClose={onClose} run={downloadSupportBundle} done={t('The support bundle is saved.')} reads={['audit']}>
			<Stack gap="sm">
				<Text>{t('One file for whoever helps. In it are:')}</Text>
				<List size="sm" spacing={2}>
					<List.Item>{t('versions, the kind of database, and how many rows each table has')}</List.Item>
					<List.Item>{t('the configuration; of secrets only the paths of their files, of URLs with a secret path only the host')}</List.Item>
					<List.Item>{t('what the last look found: run it before')}</List.Item>
					<List.Item>{t('metrics, and how jobs go')}</List.Item>
					<List.Item>{t('the last 256 kB of the log, and the last 300 events')}</List.Item>
				</List>
				<Notice tone="good" title={t('No secret is in it')}>
					{t('No key, password, token or credential. Of e-mail addresses only what stands behind the @ is left.')}
				</Notice>
				<Notice tone="warn" title={t('Names are in it')}>
					{t('Names of hosts, users and providers, and paths of files: most faults are about one. Look through it before you give it away.')}
				</Notice>
				<Text size="sm" c="dimmed">
					{t('That it was made is a row of the audit.')}
				</Text>
			</Stack>
		</Confirm>
	)
}

function StatusView({ s }: { s: Status }) {
	const list = (l: string[]) => (l.length ? <span className="mono">{l.join(', ')}</span> : t('not offered'))
	return (
		<Stack gap="md">
			{!s.store.writable && <Notice tone="bad" title={t('The store cannot be written')}>{s.store.reason}</Notice>}
			<div className="split">
				<Card title={t('Server')}>
					<Facts
						rows={[
							[t('Version'), s.version],
							[t('Running since'), <span key="s"><Time at={s.started_at} /> (<Relative at={s.started_at} />)</span>],
							[t('Clock of the server'), <Time key="n" at={s.now} />],
							[t('Store'), <span key="d">{s.store.driver} <Tone tone={s.store.writable ? 'good' : 'bad'}>{s.store.writable ? t('writable') : t('not writable')}</Tone></span>],
							[t('DNS and HTTP listener'), s.edge.configured ? <Tone key="e" tone={s.edge.loaded ? 'good' : 'bad'}>{s.edge.loaded ? t('answering') : s.edge.connected ? t('loading') : t('not there')}</Tone> : t('not offered')],
							[t('Name of our DNS server'), s.dns_hostname ?? t('not set')],
							[t('DNS listens on'), list(s.dns_listen)],
							[t('HTTP-01 listens on'), list(s.http01_listen)],
						]}
					/>
				</Card>
				<Card title={t('Orders')}>
					<Facts rows={Object.entries(s.orders).map(([k, n]) => [k, <span key={k} style={{ fontVariantNumeric: 'tabular-nums' }}>{n}</span>])} />
				</Card>
			</div>
			<Card title={t('Lanes')} pad={false}>
				{s.lanes.length === 0 ? (
					<Empty title={t('No lane is in use')}>{t('A lane is what may hang or refuse as a whole: a vendor, a DNS zone. When one pauses, it is shown here with the reason, and the others go on.')}</Empty>
				) : (
					<PlainTable
						label={t('Lanes')}
						rows={s.lanes}
						rowKey={(l) => l.name}
						columns={[
							{ title: t('Lane'), render: (l) => <span className="mono break">{l.name}</span> },
							{ title: t('State'), render: (l) => (l.parked_until ? <Tone tone="warn">{t('paused')}</Tone> : <Tone tone="good">{t('not paused')}</Tone>) },
							{ title: t('Goes on'), render: (l) => (l.parked_until ? <Relative at={l.parked_until} /> : '–') },
							{ title: t('Reason'), render: (l) => <LaneReason reason={l.reason} /> },
						]}
					/>
				)}
			</Card>
		</Stack>
	)
}

function LaneReason({ reason }: { reason: unknown }) {
	if (!reason) return <>–</>
	if (typeof reason === 'string') return <>{reason}</>
	const r = reason as { detail?: unknown; title?: unknown; remote?: unknown }
	return (
		<span className="break">
			{String(r.detail ?? r.title ?? '–')}
			{typeof r.remote === 'string' && <p className="said">{r.remote}</p>}
		</span>
	)
}
