// SPDX-License-Identifier: Apache-2.0
// Integrations › ACME › Acme DNS Domains: every challenge record, the zones delegated to us, and what is answered on port 80.
import { Button, Stack, Tabs, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { api, Idempotency, unwrap, type AcmeRecord, type Delegation } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Clipped, CopyButton, CopyLine, Empty, Soft, Time, Tone, type ToneName } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Preflight } from '../parts/looks'
import { Page } from '../parts/page'
import { Choose, DataTable, FindText, NoneFits, useFilters, useSort, type Column } from '../parts/table'
import { AnsweredBy, Delegations } from './delegations'

const TONES: Record<string, ToneName> = { 'not-ready': 'busy', ready: 'busy', valid: 'good', invalid: 'bad', withdrawn: 'calm' }

function meaning(status: string): string {
	switch (status) {
		case 'not-ready':
			return t('Created, not yet seen at all authoritative servers.')
		case 'ready':
			return t('Seen everywhere; validation may start.')
		case 'valid':
			return t('The authorization is valid.')
		case 'invalid':
			return t('The authority refused it.')
		default:
			return t('The order is over; the record is no longer published.')
	}
}

export function recordStatusName(status: string): string {
	switch (status) {
		case 'not-ready':
			return t('Not Ready')
		case 'ready':
			return t('Ready')
		case 'valid':
			return t('Valid')
		case 'invalid':
			return t('Invalid')
		default:
			return t('Withdrawn')
	}
}

export function RecordStatus({ record }: { record: AcmeRecord }) {
	return (
		<Tone tone={TONES[record.status] ?? 'calm'} title={typeof record.detail === 'string' ? record.detail : meaning(record.status)}>
			{recordStatusName(record.status)}
		</Tone>
	)
}

type TabName = 'records' | 'delegations' | 'http' | 'preflight'

export function DnsDomainsPage({ tab }: { tab: TabName }) {
	const [, go] = useLocation()
	const may = useMay()
	const [adding, setAdding] = useState(false)
	return (
		<Page
			title={t('Acme DNS Domains')}
			crumbs={[{ text: t('Integrations') }, { text: t('ACME') }]}
			actions={
				tab === 'delegations' &&
				may('order') && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
						{t('Add Delegation')}
					</Button>
				)
			}
		>
			<Tabs value={tab} onChange={(v) => go(v === 'records' ? '/dns-domains' : `/dns-domains/${v}`)} keepMounted={false}>
				<Tabs.List mb="md">
					<Tabs.Tab value="records">{t('Challenge records')}</Tabs.Tab>
					<Tabs.Tab value="delegations">{t('Delegations')}</Tabs.Tab>
					<Tabs.Tab value="http">{t('HTTP answers')}</Tabs.Tab>
					<Tabs.Tab value="preflight">{t('Preflight')}</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="records">
					<Records kind="dns-01" />
				</Tabs.Panel>
				<Tabs.Panel value="delegations">
					<Delegations onAdd={() => setAdding(true)} />
				</Tabs.Panel>
				<Tabs.Panel value="http">
					<Text c="dimmed" mb="sm">
						{t('What orders have the authority fetch from port 80 of a name, and what became of it.')}{' '}
						<Link className="inline-link" href="/http-challenge">
							{t('Where the answers are put is set up at HTTP challenge.')}
						</Link>
					</Text>
					<Records kind="http-01" />
				</Tabs.Panel>
				<Tabs.Panel value="preflight">
					<PreflightTab />
				</Tabs.Panel>
			</Tabs>
			{adding && <AddDelegation onClose={() => setAdding(false)} />}
		</Page>
	)
}

function PreflightTab() {
	const [text, setText] = useState('')
	const names = text.split(/[\s,;]+/).filter(Boolean)
	return (
		<Stack gap="md" maw={900}>
			<Text c="dimmed">{t('What stands in the way of proving a name: CAA, delegation, DS, port 80 over every address, wildcard and vendor rules. It is advice; nothing is changed.')}</Text>
			<TextInput label={t('Domain Names')} placeholder="www.example.com" spellCheck={false} value={text} onChange={(e) => setText(e.currentTarget.value)} />
			<Preflight key={names.join(' ')} names={names} />
		</Stack>
	)
}

const STATUSES = ['not-ready', 'ready', 'valid', 'invalid', 'withdrawn'] as const

function Records({ kind }: { kind: 'dns-01' | 'http-01' }) {
	const [{ status, domain }, narrow] = useFilters('status', 'domain')
	const { sort, when } = useSort([], 'newest')
	const query = { kind, sort, ...(status ? { status: status as AcmeRecord['status'] } : {}), ...(domain ? { domain } : {}) }
	const columns: Column<AcmeRecord>[] = [
		{ title: kind === 'dns-01' ? t('Domain') : t('Address'), render: (r) => kind === 'http-01' ? <Clipped text={r.url ?? r.domain} /> : <Soft text={r.domain} /> },
		{ title: t('Type'), render: (r) => r.type },
		...(kind === 'dns-01' ? [{ title: t('TTL'), render: (r: AcmeRecord) => r.ttl }] : []),
		{
			title: t('Value'),
			render: (r) => (
				<span style={{ display: 'flex', gap: 4, alignItems: 'center' }}>
					<Clipped text={r.value} />
					<CopyButton value={r.value} what={t('the value')} />
				</span>
			),
		},
		{ title: t('Status'), render: (r) => <RecordStatus record={r} /> },
		{ title: t('Order'), render: (r) => <Link href={`/orders/${r.order_num}`}>{r.order_num}</Link> },
		{ title: t('Created At'), sort: when, render: (r) => <Time at={r.created_at} show="two" /> },
	]
	return (
		<DataTable<AcmeRecord>
			label={kind === 'dns-01' ? t('Challenge records') : t('HTTP answers')}
			queryKey={['records', query]}
			read={({ limit, cursor }) => unwrap(api.GET('/records', { params: { query: { ...query, limit, cursor } } }))}
			rowKey={(r) => r.id}
			filters={
				<>
					<FindText value={domain} least={1} label={t('Search the records')} hint={kind === 'dns-01' ? t('Whole name of the record, such as _acme-challenge.example.com') : t('Whole name, such as www.example.com')} onChange={(next) => narrow({ domain: next })} />
					<Choose label={t('Status')} all={t('Every status')} value={status} onChange={(next) => narrow({ status: next })} data={STATUSES.map((s) => ({ value: s, label: recordStatusName(s) }))} />
				</>
			}
			empty={status || domain ? <NoneFits /> : <Empty title={kind === 'dns-01' ? t('No challenge record') : t('No HTTP answer')}>{kind === 'dns-01' ? t('A record is added when a dns-01 order is created and withdrawn when it is over. It stays here for 30 days.') : t('An answer is put when an http-01 order is created and withdrawn when it is over. It stays here for 30 days.')}</Empty>}
			columns={columns}
		/>
	)
}

function AddDelegation({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const [made, setMade] = useState<Delegation | null>(null)
	const form = useForm({
		initialValues: { name: '', provider_id: '', target: '' },
		validate: { name: (v) => (v.trim() ? null : t('Give a domain name.')), target: (v, all) => (all.provider_id && !v.trim() ? t('Give the name to which it leads.') : null) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = { name: v.name.trim(), ...(v.provider_id ? { provider_id: v.provider_id, target: v.target.trim() } : {}) }
		setMade(await unwrap(api.POST('/delegations', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body })))
		void client.invalidateQueries({ queryKey: ['delegations'] })
	})
	if (made)
		return (
			<FormDialog
				opened
				title={made.target ? t('Set this CNAME record') : t('Set this NS record')}
				onClose={onClose}
				onSubmit={(e) => {
					e?.preventDefault()
					onClose()
				}}
				busy={false}
				error={null}
				submit={t('Done')}
			>
				<div>{t('In the DNS zone of {name}. It is set once and stays.', { name: made.name })}</div>
				{made.ns_line && <CopyLine value={made.ns_line} what={t('the NS record')} />}
				{made.cname_line && (
					<>
						{made.ns_line && <div>{t('Or, where the parent zone cannot delegate, this alias. One of the two, never both.')}</div>}
						<CopyLine value={made.cname_line} what={t('the CNAME record')} />
					</>
				)}
			</FormDialog>
		)
	return (
		<FormDialog opened title={t('Add Delegation')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Add Delegation')}>
			<TextInput label={t('Domain Name')} placeholder="www.example.com" description={t('A wildcard needs the name without “*.”.')} spellCheck={false} data-autofocus {...form.getInputProps('name')} />
			<AnsweredBy {...form.getInputProps('provider_id')} />
			{form.values.provider_id && <TextInput label={t('Leads to')} placeholder="_acme-challenge.www.acme.example.net" spellCheck={false} {...form.getInputProps('target')} />}
		</FormDialog>
	)
}
