// SPDX-License-Identifier: Apache-2.0
// Integrations › External DNS: providers, Validation rules, and what is owed. A provider's form is its kind's field table.
import { ActionIcon, Button, Grid, Group, Menu, NumberInput, PasswordInput, Select, Stack, Switch, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { api, ApiError, finish, Idempotency, problemOf, remove, unwrap, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, CopyButton, CopyLine, Empty, Failure, Notice, sentence, Soft, Time, Tone, type ToneName } from '../parts/bits'
import { connectionBody, ConnectionFields, connectionOf, type Connection } from '../parts/connection'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { useNamedList } from '../parts/named'
import { Page } from '../parts/page'
import { DataTable, NoneFits } from '../parts/table'
import { HookOptions } from './hook-options'
import { useVendors } from './vendors'

export type Provider = Schemas['Provider']
type Kind = Schemas['ProviderKind']
type Field = Schemas['ProviderField']
type Rule = Schemas['Rule']
type Debt = Schemas['Debt']

export function useKinds() {
	return useQuery({ queryKey: ['provider-kinds'], queryFn: () => unwrap(api.GET('/provider-kinds')), staleTime: 10 * 60_000 })
}

export function useProviders() {
	return useQuery({ queryKey: ['providers', 'choose'], queryFn: () => unwrap(api.GET('/providers', { params: { query: { limit: 200 } } })) })
}

/** The methods of a validation, as a Select shows them. */
export function methodChoices(validation: string, providers: Provider[], kinds: Kind[]) {
	const serves = (p: Provider) => kinds.find((k) => k.name === p.kind)?.validations.includes(validation as 'dns-01')
	const built = validation === 'dns-01' ? [{ value: 'delegation', label: t('Delegation to this server') }] : [{ value: 'builtin', label: t('Built-in responder') }]
	return [...built, ...providers.filter(serves).map((p) => ({ value: p.id, label: `${p.name} (${p.title})` })), { value: 'manual', label: t('By hand') }]
}

/** Who may write where a name leads by CNAME: the providers of External DNS. */
export function useWriters() {
	const providers = useProviders()
	const kinds = useKinds()
	return methodChoices('dns-01', providers.data?.items ?? [], kinds.data?.items ?? []).filter((m) => m.value !== 'delegation' && m.value !== 'manual')
}

const TONES: Record<Provider['status'], ToneName> = { new: 'calm', ok: 'good', failed: 'warn', refused: 'bad' }

function providerStatusName(status: Provider['status']): string {
	const words: Record<Provider['status'], string> = { new: t('not tested'), ok: t('works'), failed: t('test failed'), refused: t('credential refused') }
	return words[status]
}

/** How the lists of providers are searched, narrowed and ordered: here those of DNS, elsewhere those that answer http-01. */
export function useProviderList(search: string) {
	const data = (Object.keys(TONES) as Provider['status'][]).map((x) => ({ value: x, label: providerStatusName(x) }))
	return useNamedList({ search, only: { key: 'status', label: t('Status'), all: t('Every status'), data } })
}

export function ProviderStatus({ provider }: { provider: Provider }) {
	const why = provider.reason ? [provider.reason.detail ?? provider.reason.title, provider.reason.remote].filter(Boolean).join(' — ') : undefined
	return (
		<Tone tone={TONES[provider.status]} title={why ? sentence(why) : undefined}>
			{providerStatusName(provider.status)}
		</Tone>
	)
}

type TabName = 'providers' | 'rules' | 'owed'

export function ExternalDnsPage({ tab }: { tab: TabName }) {
	const may = useMay()
	const [, go] = useLocation()
	const [adding, setAdding] = useState(false)
	return (
		<Page
			title={t('External DNS')}
			crumbs={[{ text: t('Integrations') }]}
			actions={
				tab !== 'owed' &&
				may('admin') && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
						{tab === 'rules' ? t('Add rule') : t('Add provider')}
					</Button>
				)
			}
		>
			<Tabs value={tab} onChange={(v) => go(v === 'providers' ? '/external-dns' : `/external-dns/${v}`)} keepMounted={false}>
				<Tabs.List>
					<Tabs.Tab value="providers">{t('Providers')}</Tabs.Tab>
					<Tabs.Tab value="rules">{t('Validation rules')}</Tabs.Tab>
					<Tabs.Tab value="owed">{t('To be withdrawn')}</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="providers" pt="md">
					<Providers adding={adding} add={() => setAdding(true)} onClose={() => setAdding(false)} />
				</Tabs.Panel>
				<Tabs.Panel value="rules" pt="md">
					<Rules adding={adding} add={() => setAdding(true)} onClose={() => setAdding(false)} />
				</Tabs.Panel>
				<Tabs.Panel value="owed" pt="md">
					<Debts />
				</Tabs.Panel>
			</Tabs>
		</Page>
	)
}

/* ---- providers ---- */

function Providers({ adding, add, onClose }: { adding: boolean; add: () => void; onClose: () => void }) {
	const may = useMay()
	const [editing, setEditing] = useState<Provider | null>(null)
	const [testing, setTesting] = useState<Provider | null>(null)
	const [deleting, setDeleting] = useState<Provider | null>(null)
	const [why, setWhy] = useState<Provider | null>(null)
	const { query, narrowed, filters, when, by } = useProviderList(t('Search the providers'))
	return (
		<>
			{why?.reason && <Because reason={why.reason} />}
			<DataTable<Provider>
				label={t('Providers')}
				queryKey={['providers', query]}
				read={async ({ limit, cursor }) => {
					const [page, all] = await Promise.all([unwrap(api.GET('/providers', { params: { query: { ...query, limit, cursor } } })), unwrap(api.GET('/provider-kinds'))])
					return { ...page, items: page.items.filter((p) => !all.items.some((k) => k.name === p.kind && !k.validations.includes('dns-01'))) }
				}}
				rowKey={(p) => p.id}
				filters={filters}
				empty={
					narrowed ? <NoneFits /> : <Empty title={t('No provider yet')} action={may('admin') && <Button onClick={add}>{t('Add provider')}</Button>}>
						{t('Where the DNS of your names is kept. With a credential of it, Certwright sets the challenge records by itself and takes them away again.')}
					</Empty>
				}
				columns={[
					{
						title: t('Name'),
						sort: by('name'),
						render: (p) => (
							<>
								{p.name}
								<Text c="dimmed" size="sm">
									{p.title}
								</Text>
							</>
						),
					},
					{ title: t('Status'), render: (p) => <ProviderStatus provider={p} /> },
					{ title: t('Zones'), render: (p) => (p.zones.length ? <span title={p.zones.join('\n')}><Soft text={p.zones.slice(0, 3).join(', ')} />{p.zones.length > 3 && ` ${t('and {n} more', { n: p.zones.length - 3 })}`}</span> : '–') },
					{ title: t('Tested At'), render: (p) => <Time at={p.tested_at} show="two" /> },
					{ title: t('Created At'), sort: when, render: (p) => <Time at={p.created_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 60,
						render: (p) =>
							may('order') && (
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of provider {name}', { name: p.name })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										<Menu.Item leftSection={<Icon name="refresh" size={16} />} onClick={() => setTesting(p)}>
											{t('Test')}
										</Menu.Item>
										{p.reason && (
											<Menu.Item leftSection={<Icon name="info" size={16} />} onClick={() => setWhy(p)}>
												{t('Why this status')}
											</Menu.Item>
										)}
										{may('admin') && (
											<>
												<Menu.Item leftSection={<Icon name="lock" size={16} />} onClick={() => setEditing(p)}>
													{t('Change')}
												</Menu.Item>
												<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(p)}>
													{t('Delete')}
												</Menu.Item>
											</>
										)}
									</Menu.Dropdown>
								</Menu>
							),
					},
				]}
			/>
			{(adding || editing) && (
				<ProviderForm
					provider={editing}
					onClose={() => {
						setEditing(null)
						onClose()
					}}
					onSaved={(p) => {
						setEditing(null)
						onClose()
						setTesting(p)
					}}
				/>
			)}
			{testing && <TestDialog provider={testing} onClose={() => setTesting(null)} />}
			{deleting && (
				<Confirm opened title={t('Delete provider')} action={t('Delete provider')} onClose={() => setDeleting(null)} run={() => remove('/providers/{id}', deleting.id)} done={t('The provider is deleted.')} reads={['providers']}>
					{t('{name} and its sealed credential will be deleted. What still uses it is named, and then it stays.', { name: deleting.name })}
				</Confirm>
			)}
		</>
	)
}

interface ProviderValues extends Record<string, unknown> {
	kind: string
	name: string
	fields: Record<string, string>
	connection: Connection
}

export function ProviderForm({ validation = 'dns-01', provider, onClose, onSaved }: { validation?: 'dns-01' | 'http-01'; provider: Provider | null; onClose: () => void; onSaved: (p: Provider) => void }) {
	const kinds = useKinds()
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const [errors, setErrors] = useState<Record<string, string>>({})
	const was = provider?.fields ?? {}
	const form = useForm<ProviderValues>({
		initialValues: { kind: provider?.kind ?? (validation === 'dns-01' ? 'powerdns' : 'f5'), name: provider?.name ?? '', fields: {}, connection: connectionOf(provider?.connection) },
		validate: { name: (v) => (v.trim() ? null : t('Give it a name.')) },
	})
	const kind = kinds.data?.items.find((k) => k.name === form.values.kind)
	const endpoint = kind?.fields.find((f) => f.endpoint)
	const moved = provider !== null && (kind?.fields ?? []).some((f) => f.endpoint && f.name in form.values.fields && form.values.fields[f.name] !== (was[f.name] ?? f.default ?? ''))

	/* The fields that are no secret, as they stand in the form. */
	const open = () => Object.fromEntries((kind?.fields ?? []).filter((f) => f.input !== 'secret').map((f) => [f.name, form.values.fields[f.name] ?? was[f.name] ?? f.default ?? '']).filter(([, v]) => v !== ''))

	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const fields: Record<string, string | null> = {}
		setErrors({})
		for (const f of kind?.fields ?? []) {
			const typed = v.fields[f.name]
			if (typed === undefined || (f.input === 'secret' && typed === '')) continue
			fields[f.name] = typed === '' ? null : typed
		}
		const link = form.isDirty('connection') ? { connection: connectionBody(v.connection) ?? {} } : {}
		try {
			if (provider) {
				const got = await api.GET('/providers/{id}', { params: { path: { id: provider.id } } })
				if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
				const saved = await unwrap(api.PATCH('/providers/{id}', { params: { path: { id: provider.id }, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body: { name: v.name.trim(), fields, ...link } as never }))
				done(saved)
			} else {
				const body = { kind: v.kind, name: v.name.trim(), fields, ...link }
				done(await unwrap(api.POST('/providers', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body: body as never })))
			}
		} catch (e) {
			if (e instanceof ApiError) {
				const at: Record<string, string> = {}
				for (const item of e.problem.errors ?? []) {
					const m = /^\/fields\/([a-z0-9_]+)/.exec(item.pointer)
					if (m?.[1]) at[m[1]] = sentence(item.detail)
				}
				setErrors(at)
			}
			throw e
		}
	})
	const done = (saved: Provider) => {
		void client.invalidateQueries({ queryKey: ['providers'] })
		notifications.show({ message: t('{name} is saved.', { name: saved.name }), color: 'green' })
		onSaved(saved)
	}

	return (
		<FormDialog opened size="xl" title={provider ? t('Change {name}', { name: provider.name }) : validation === 'dns-01' ? t('Add an External DNS provider') : t('Add a target for HTTP challenges')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Test and save')}>
			{kinds.isError && <Failure error={kinds.error} retry={() => void kinds.refetch()} />}
			<Grid>
				<Grid.Col span={{ base: 12, sm: 7 }}>
					<Stack gap="md">
						<Select label={validation === 'dns-01' ? t('Provider') : t('Target')} searchable disabled={provider !== null} data={(kinds.data?.items ?? []).filter((k) => k.validations.includes(validation)).map((k) => ({ value: k.name, label: k.title }))} {...form.getInputProps('kind')} onChange={(v) => v && form.setValues({ kind: v, fields: {} })} />
						<TextInput label={t('Name')} placeholder={t('How it is called in the lists')} maxLength={100} {...form.getInputProps('name')} />
						{(kind?.fields ?? []).map((f) => {
							const key = `${form.values.kind}.${f.name}`
							const onChange = (v: string) => form.setFieldValue('fields', { ...form.values.fields, [f.name]: v })
							if (f.name === kind?.options_field) return <HookOptions key={key} kind={kind.name} field={f} fields={open()} stored={!!was[f.name] && !moved} text={form.values.fields[f.name] ?? ''} error={errors[f.name]} onChange={onChange} />
							return <FieldInput key={key} field={f} stored={was[f.name] ?? null} moved={moved} value={form.values.fields[f.name]} error={errors[f.name]} onChange={onChange} />
						})}
						{endpoint && <ConnectionFields url={String(form.values.fields[endpoint.name] ?? was[endpoint.name] ?? endpoint.default ?? '')} value={form.values.connection} error={form.errors.connection} onChange={(c) => form.setFieldValue('connection', c)} />}
						{moved && <Notice tone="warn">{t('The address changes, so the stored secrets are erased: enter them again.')}</Notice>}
					</Stack>
				</Grid.Col>
				<Grid.Col span={{ base: 12, sm: 5 }}>
					{kind && <BesideTheForm kind={kind} />}
				</Grid.Col>
			</Grid>
		</FormDialog>
	)
}

/** What it is, the least right its credential needs, and how to give that right. */
function BesideTheForm({ kind }: { kind: Kind }) {
	return (
		<Stack gap="sm">
			<Text size="sm">{kind.help}</Text>
			<Notice tone="info" title={t('The least right it needs')}>
				{kind.rights}
			</Notice>
			{kind.grants.map((g) => (
				<div key={g.where}>
					<Group justify="space-between" wrap="nowrap">
						<Text size="sm" fw={600}>
							{t('For {where}', { where: g.where })}
						</Text>
						<CopyButton value={g.text} what={t('the text for {title}', { title: g.where })} />
					</Group>
					<pre className="pem" tabIndex={0} aria-label={g.where}>
						{g.text}
					</pre>
				</div>
			))}
			{kind.site && (
				<a className="inline-link" href={kind.site} target="_blank" rel="noreferrer noopener">
					{t('Its documentation')}
				</a>
			)}
		</Stack>
	)
}

function FieldInput({ field, stored, moved, value, error, onChange }: { field: Field; stored: string | null; moved: boolean; value: string | undefined; error?: string; onChange: (v: string) => void }) {
	const shown = value ?? (field.input === 'secret' ? '' : (stored ?? field.default ?? ''))
	const common = { label: field.label, description: field.help, error, withAsterisk: field.required && !field.default }
	const kept = stored && !moved ? t('set; leave empty to keep it') : undefined
	const lines = { size: 'md', autosize: true, minRows: 4, maxRows: 12, classNames: { input: 'mono' }, spellCheck: false }
	if (field.choices.length) return <Select {...common} data={field.choices} value={shown || null} onChange={(v) => onChange(v ?? '')} />
	switch (field.input) {
		case 'secret':
			if (field.multiline) return <Textarea {...common} {...lines} autoComplete="off" placeholder={kept} value={shown} onChange={(e) => onChange(e.currentTarget.value)} />
			return <PasswordInput size="md" {...common} autoComplete="off" placeholder={kept} value={shown} onChange={(e) => onChange(e.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide {what}', { what: field.label }) }} />
		case 'boolean':
			return <Switch label={field.label} description={field.help} checked={shown === 'true'} onChange={(e) => onChange(e.currentTarget.checked ? 'true' : 'false')} />
		case 'number':
			return <NumberInput {...common} min={field.min} max={field.max || undefined} value={shown === '' ? '' : Number(shown)} onChange={(v) => onChange(String(v))} />
		case 'lines':
			return <Textarea {...common} {...lines} value={shown} onChange={(e) => onChange(e.currentTarget.value)} />
		default:
			return <TextInput {...common} classNames={{ input: field.input === 'text' ? '' : 'mono' }} spellCheck={false} value={shown} onChange={(e) => onChange(e.currentTarget.value)} />
	}
}

interface Found {
	zones: string[] | null
	name: string | null
	seen: boolean | null
	servers: string | null
}

/** First it only reads; then it asks for a zone and shows the record before it is written. */
function TestDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
	const client = useQueryClient()
	const [result, setResult] = useState<Provider | null>(null)
	const kind = useKinds().data?.items.find((k) => k.name === provider.kind)
	const form = useForm<{ zone: string | null } & Record<string, unknown>>({ initialValues: { zone: provider.zones[0] ?? null }, validate: { zone: (v) => (v?.trim() || kind?.lists_zones ? null : t('Name a zone.')) } })
	const p = result ?? provider
	const found = result ? (result.test as Found | null) : null
	const read = async (zone: string | null) => {
		const answer = await api.POST('/providers/{id}/test', { params: { path: { id: provider.id } }, body: zone ? { zone } : {} })
		const got = await finish<Provider>(answer, () => unwrap(api.GET('/providers/{id}', { params: { path: { id: provider.id } } })))
		setResult(got)
		if (!zone && got.zones[0] && !form.values.zone) form.setFieldValue('zone', got.zones[0])
		void client.invalidateQueries({ queryKey: ['providers'] })
		void client.invalidateQueries({ queryKey: ['orders'] })
	}
	const probe = useSubmit(form, (v) => read(v.zone?.trim() || null))
	const { busy, act } = useAct()
	return (
		<FormDialog opened title={t('Test {name}', { name: provider.name })} onClose={onClose} onSubmit={probe.onSubmit} busy={probe.busy} error={probe.error} submit={form.values.zone || !kind?.lists_zones ? t('Write, find and remove it') : t('Read its zones')}>
			<Group justify="space-between" align="end">
				{p.zones.length ? <Select label={t('Zone to try')} searchable clearable data={p.zones} style={{ flex: 1 }} {...form.getInputProps('zone')} /> : <TextInput label={t('Zone to try')} placeholder="example.com" style={{ flex: 1 }} value={form.values.zone ?? ''} error={form.errors.zone} onChange={(e) => form.setFieldValue('zone', e.currentTarget.value)} />}
				{kind?.reads && (
					<Button variant="default" loading={busy === 'read'} onClick={() => void act('read', () => read(null), null, [])}>
						{t('Test reading only')}
					</Button>
				)}
			</Group>
			{form.values.zone && (
				<div>
					<Text size="sm" mb={4}>
						{t('This record is written, looked for at the name servers of the zone, and removed:')}
					</Text>
					<CopyLine value={`${p.probe_label}.${form.values.zone}. 60 IN TXT "${p.probe_value}"`} what={t('the record')} />
				</div>
			)}
			{result && !result.reason && (
				<Notice tone="good" live title={found?.name ? t('It works') : t('Reading works')}>
					{found?.name ? (found.seen === null ? t('Written and removed; it could not be looked for: {why}', { why: found.servers ?? '' }) : t('Written, seen and removed: {what}', { what: found.servers ?? '' })) : kind?.lists_zones ? t('It sees {n} zones.', { n: result.zones.length }) : t('It answers, and takes the credential. Whether it may write is not tried.')}
				</Notice>
			)}
			{result?.reason && <Because reason={result.reason} />}
		</FormDialog>
	)
}

/* ---- rules ---- */

function Rules({ adding, add, onClose }: { adding: boolean; add: () => void; onClose: () => void }) {
	const may = useMay()
	const [editing, setEditing] = useState<Rule | null>(null)
	const [deleting, setDeleting] = useState<Rule | null>(null)
	const vendors = useVendors()
	const [providers, kinds] = [useProviders(), useKinds()]
	const methods = ['dns-01', 'http-01'].flatMap((v) => methodChoices(v, providers.data?.items ?? [], kinds.data?.items ?? []))
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the rules'), hint: t('Part of a suffix'), only: { key: 'method', label: t('Method'), all: t('Every method'), data: methods.filter((m, i) => methods.findIndex((n) => n.value === m.value) === i) } })
	const vendorTitle = (key: string) => (key ? (vendors.data?.items.find((v) => v.key === key)?.title ?? key) : t('any'))
	return (
		<>
			<Text c="dimmed" mb="sm">
				{t('How a name is proved: the choice made for the name, else for the order, else the rule of the longest matching suffix, else a delegation, else by hand.')}
			</Text>
			<DataTable<Rule>
				label={t('Validation rules')}
				queryKey={['rules', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/rules', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(r) => r.id}
				filters={filters}
				empty={
					narrowed ? <NoneFits /> : <Empty title={t('No rule yet')} action={may('admin') && <Button onClick={add}>{t('Add rule')}</Button>}>
						{t('A rule saves choosing: every name that ends in its suffix is proved its way, unless an order says otherwise.')}
					</Empty>
				}
				columns={[
					{ title: t('Suffix'), sort: by('name'), render: (r) => (r.suffix ? <span className="mono"><Soft text={r.suffix} /></span> : t('every name')) },
					{ title: t('Vendor'), render: (r) => vendorTitle(r.vendor) },
					{ title: t('Validation Type'), render: (r) => r.validation },
					{ title: t('Method'), render: (r) => (r.method_name === r.method_title ? r.method_title : `${r.method_name} (${r.method_title})`) },
					{ title: t('Created At'), sort: when, render: (r) => <Time at={r.created_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 60,
						render: (r) =>
							may('admin') && (
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of the rule for {suffix}', { suffix: r.suffix || t('every name') })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										<Menu.Item leftSection={<Icon name="lock" size={16} />} onClick={() => setEditing(r)}>
											{t('Change')}
										</Menu.Item>
										<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(r)}>
											{t('Delete')}
										</Menu.Item>
									</Menu.Dropdown>
								</Menu>
							),
					},
				]}
			/>
			{(adding || editing) && (
				<RuleForm
					rule={editing}
					onClose={() => {
						setEditing(null)
						onClose()
					}}
				/>
			)}
			{deleting && (
				<Confirm opened title={t('Delete rule')} action={t('Delete rule')} onClose={() => setDeleting(null)} run={() => remove('/rules/{id}', deleting.id)} done={t('The rule is deleted.')} reads={['rules']}>
					{t('New orders and renewals of names below {suffix} are decided without it. Orders under way stay as they are.', { suffix: deleting.suffix || t('every name') })}
				</Confirm>
			)}
		</>
	)
}

function RuleForm({ rule, onClose }: { rule: Rule | null; onClose: () => void }) {
	const client = useQueryClient()
	const vendors = useVendors()
	const kinds = useKinds()
	const providers = useProviders()
	const idem = useMemo(() => new Idempotency(), [])
	const form = useForm({
		initialValues: { suffix: rule?.suffix ?? '', vendor: rule?.vendor ?? '', validation: rule?.validation ?? 'dns-01', method: (rule?.method ?? '') as string } as Record<string, string> & { validation: 'dns-01' | 'http-01' },
		validate: { method: (v) => (v ? null : t('Choose a method.')) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = { suffix: (v.suffix ?? '').trim(), vendor: v.vendor ?? '', validation: v.validation as 'dns-01' | 'http-01', method: v.method ?? '' }
		if (rule) {
			const got = await api.GET('/rules/{id}', { params: { path: { id: rule.id } } })
			if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
			await unwrap(api.PATCH('/rules/{id}', { params: { path: { id: rule.id }, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body }))
		} else await unwrap(api.POST('/rules', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['rules'] })
		notifications.show({ message: t('The rule is saved.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={rule ? t('Change rule') : t('Add a validation rule')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Suffix')} placeholder="example.com" classNames={{ input: 'mono' }} spellCheck={false} description={t('This name and all names below it; empty for every name.')} {...form.getInputProps('suffix')} />
			<Select label={t('Vendor')} data={[{ value: '', label: t('any vendor') }, ...(vendors.data?.items ?? []).map((v) => ({ value: v.key, label: v.title }))]} {...form.getInputProps('vendor')} />
			<Select label={t('Validation Type')} data={['dns-01', 'http-01']} {...form.getInputProps('validation')} onChange={(v) => v && form.setValues({ validation: v as 'dns-01', method: '' })} />
			<Select label={t('Method')} data={methodChoices(form.values.validation, providers.data?.items ?? [], kinds.data?.items ?? [])} {...form.getInputProps('method')} value={form.values.method || null} />
		</FormDialog>
	)
}

/* ---- what is owed ---- */

function Debts() {
	const may = useMay()
	const { act } = useAct()
	const [why, setWhy] = useState<Debt | null>(null)
	return (
		<>
			<Text c="dimmed" mb="sm">
				{t('What is published and has to be taken away again. It is tried for a week, also after a crash; then a person has to look.')}
			</Text>
			{why?.reason && <Because reason={why.reason} />}
			<DataTable<Debt>
				label={t('To be withdrawn')}
				queryKey={['debts']}
				read={({ limit, cursor }) => unwrap(api.GET('/debts', { params: { query: { limit, cursor } } }))}
				rowKey={(d) => d.id}
				empty={<Empty title={t('Nothing is owed')}>{t('Everything that was published has been taken away.')}</Empty>}
				columns={[
					{ title: t('What'), render: (d) => <span className="mono break"><Soft text={d.name ?? d.kind} /></span> },
					{ title: t('Where'), render: (d) => (d.provider === d.type ? d.type : `${d.provider} (${d.type})`) },
					{ title: t('Order'), render: (d) => <a className="inline-link" href={`/orders/${d.order_id}`}>{d.order_num}</a> },
					{
						title: t('Status'),
						render: (d) => (d.held ? <Tone tone="calm">{t('still needed')}</Tone> : d.set_aside ? <Tone tone="bad">{t('a person has to look')}</Tone> : <Tone tone="busy">{d.attempts ? t('{n} tries', { n: d.attempts }) : t('due')}</Tone>),
					},
					{ title: t('Next'), render: (d) => <Time at={d.next_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 170,
						render: (d) => (
							<Group gap="xs" justify="flex-end" wrap="nowrap">
								{d.reason && (
									<Button size="compact-sm" variant="subtle" onClick={() => setWhy(d)}>
										{t('Why')}
									</Button>
								)}
								{!d.held && may('order') && (
									<Button size="compact-sm" variant="default" onClick={() => void act(d.id, () => unwrap(api.POST('/debts/{id}/retry', { params: { path: { id: d.id } } })), t('It is tried again now.'), ['debts'])}>
										{t('Try now')}
									</Button>
								)}
							</Group>
						),
					},
				]}
			/>
		</>
	)
}
