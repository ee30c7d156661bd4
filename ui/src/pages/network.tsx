// SPDX-License-Identifier: Apache-2.0
// Administration › Network: through whom DNS is looked at, and which view counts for which names.
import { ActionIcon, Button, Group, Menu, NumberInput, Radio, Select, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, ApiError, Idempotency, problemOf, remove, unwrap, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Empty, Notice, Soft, Time } from '../parts/bits'
import { Confirm, FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { useNamedList } from '../parts/named'
import { Card, Page } from '../parts/page'
import { DataTable, NoneFits } from '../parts/table'
import { useVendors } from './vendors'

type View = Schemas['View']
type Rule = Schemas['ViewRule']

function useViews() {
	return useQuery({ queryKey: ['views', 'choose'], queryFn: () => unwrap(api.GET('/views', { params: { query: { limit: 200 } } })) })
}

export function NetworkPage() {
	const may = useMay()
	const [viewForm, setViewForm] = useState<View | 'new' | null>(null)
	const [ruleForm, setRuleForm] = useState<Rule | 'new' | null>(null)
	return (
		<Page title={t('Network')} crumbs={[{ text: t('Administration') }]}>
			<Stack gap="lg">
				<Card
					title={t('Views of DNS')}
					pad={false}
					actions={
						may('admin') && (
							<Button size="compact-md" leftSection={<Icon name="plus" size={16} />} onClick={() => setViewForm('new')}>
								{t('Add view')}
							</Button>
						)
					}
				>
					<Views onAdd={() => setViewForm('new')} onEdit={setViewForm} />
				</Card>
				<Card
					title={t('Which view for which names')}
					pad={false}
					actions={
						may('admin') && (
							<Button size="compact-md" leftSection={<Icon name="plus" size={16} />} onClick={() => setRuleForm('new')}>
								{t('Add rule')}
							</Button>
						)
					}
				>
					<Rules onAdd={() => setRuleForm('new')} onEdit={setRuleForm} />
				</Card>
				<Text c="dimmed" size="sm">
					{t('What was published is looked for at every authoritative server, through a view. The look is advice: when nobody can be asked, a time limit decides. Public resolvers are asked only when they stand here.')}
				</Text>
			</Stack>
			{viewForm && <ViewForm view={viewForm === 'new' ? null : viewForm} onClose={() => setViewForm(null)} />}
			{ruleForm && <RuleForm rule={ruleForm === 'new' ? null : ruleForm} onClose={() => setRuleForm(null)} />}
		</Page>
	)
}

const KINDS: View['kind'][] = ['system', 'servers', 'doh']

function kindName(kind: View['kind']): string {
	const words: Record<View['kind'], string> = { system: t('The system’s resolvers'), servers: t('A list of resolvers'), doh: t('DNS over HTTPS') }
	return words[kind]
}

function Actions({ label, onEdit, onDelete }: { label: string; onEdit: () => void; onDelete: () => void }) {
	const may = useMay()
	if (!may('admin')) return null
	return (
		<Menu position="bottom-end" withinPortal>
			<Menu.Target>
				<ActionIcon variant="subtle" color="gray" aria-label={label}>
					<Icon name="more" />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item onClick={onEdit}>{t('Change')}</Menu.Item>
				<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={onDelete}>
					{t('Delete')}
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	)
}

function Views({ onAdd, onEdit }: { onAdd: () => void; onEdit: (v: View) => void }) {
	const may = useMay()
	const [deleting, setDeleting] = useState<View | null>(null)
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the views'), only: { key: 'kind', label: t('Kind'), all: t('Every kind'), data: KINDS.map((x) => ({ value: x, label: kindName(x) })) } })
	return (
		<>
			<DataTable<View>
				label={t('Views of DNS')}
				queryKey={['views', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/views', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(v) => v.id}
				filters={filters}
				empty={
					narrowed ? <NoneFits /> : <Empty title={t('The server’s own view is used')} action={may('admin') && <Button onClick={onAdd}>{t('Add view')}</Button>}>
						{t('It finds the authoritative servers through the resolvers of the configuration or of the system. Add a view where the inside sees another DNS than the Internet, or where port 53 is closed outward.')}
					</Empty>
				}
				columns={[
					{ title: t('Name'), sort: by('name'), render: (v) => <Soft text={v.name} /> },
					{ title: t('Kind'), render: (v) => kindName(v.kind) },
					{ title: t('Resolvers'), render: (v) => <span className="mono break">{v.url ?? (v.servers.join(', ') || '–')}</span> },
					{ title: t('Who is asked for the value'), render: (v) => (v.direct ? t('every authoritative server') : t('these resolvers')) },
					{ title: t('Created At'), sort: when, render: (v) => <Time at={v.created_at} show="two" /> },
					{ title: t('Actions'), hideTitle: true, end: true, width: 60, render: (v) => <Actions label={t('Actions of view {name}', { name: v.name })} onEdit={() => onEdit(v)} onDelete={() => setDeleting(v)} /> },
				]}
			/>
			{deleting && (
				<Confirm opened title={t('Delete view')} action={t('Delete view')} onClose={() => setDeleting(null)} run={() => remove('/views/{id}', deleting.id)} done={t('The view is deleted.')} reads={['views']}>
					{t('{name} will be deleted. As long as a rule names it, it stays.', { name: deleting.name })}
				</Confirm>
			)}
		</>
	)
}

function ViewForm({ view, onClose }: { view: View | null; onClose: () => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const connection = (view?.connection ?? {}) as { allow?: string[] | null; ca_pem?: string | null; route?: string }
	const form = useForm({
		initialValues: { name: view?.name ?? '', kind: view?.kind ?? ('servers' as View['kind']), servers: view?.servers.join('\n') ?? '', url: view?.url ?? '', direct: view?.direct ?? true, allow: (connection.allow ?? []).join(', '), ca_pem: connection.ca_pem ?? '' } as Record<string, unknown> & { name: string; kind: View['kind']; servers: string; url: string; direct: boolean; allow: string; ca_pem: string },
		validate: { name: (v) => (v.trim() ? null : t('Give it a name.')) },
	})
	const kind = form.values.kind
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const allow = v.allow.split(/[\s,]+/).filter(Boolean)
		const link = v.kind === 'doh' ? { connection: { ...(allow.length ? { allow } : {}), ...(v.ca_pem.trim() ? { ca_pem: v.ca_pem.trim() + '\n' } : {}) } } : {}
		const body = { name: v.name.trim(), kind: v.kind, direct: v.direct, ...(v.kind === 'servers' ? { servers: v.servers.split(/[\s,]+/).filter(Boolean) } : {}), ...(v.kind === 'doh' ? { url: v.url.trim() } : {}), ...link }
		if (view) {
			const got = await api.GET('/views/{id}', { params: { path: { id: view.id } } })
			if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
			await unwrap(api.PATCH('/views/{id}', { params: { path: { id: view.id }, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body }))
		} else await unwrap(api.POST('/views', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['views'] })
		notifications.show({ message: t('The view is saved.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={view ? t('Change view') : t('Add a view of DNS')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Name')} placeholder={t('Outside')} maxLength={100} data-autofocus {...form.getInputProps('name')} />
			<Radio.Group label={t('Kind')} value={kind} onChange={(v) => form.setValues({ kind: v as View['kind'], direct: v !== 'doh' })}>
				<Stack gap={6} mt={6}>
					{(['servers', 'doh', 'system'] as const).map((k) => (
						<Radio key={k} value={k} label={kindName(k)} />
					))}
				</Stack>
			</Radio.Group>
			{kind === 'servers' && <Textarea label={t('Addresses')} autosize minRows={2} classNames={{ input: 'mono' }} placeholder={'192.0.2.53\n[2001:db8::53]:53'} description={t('One a line, at most four.')} {...form.getInputProps('servers')} />}
			{kind === 'doh' && (
				<>
					<TextInput label={t('URL')} classNames={{ input: 'mono' }} placeholder="https://dns.example/dns-query" description={t('It is asked through the proxy, where there is one.')} spellCheck={false} {...form.getInputProps('url')} />
					<TextInput label={t('Private networks that are meant')} classNames={{ input: 'mono' }} placeholder="10.1.0.0/16" description={t('Only when its host has a private address: the networks it may be in.')} {...form.getInputProps('allow')} />
					<Textarea label={t('Its own CA')} autosize minRows={2} maxRows={6} classNames={{ input: 'mono' }} placeholder="-----BEGIN CERTIFICATE-----" description={t('Empty: those of the system.')} {...form.getInputProps('ca_pem')} />
				</>
			)}
			<Switch label={t('Ask every authoritative server itself')} description={kind === 'doh' ? t('Only where port 53 is open outward. Off: this server is asked for the value.') : t('Off: these resolvers are asked for the value. They may hold an old one for a while.')} {...form.getInputProps('direct', { type: 'checkbox' })} />
		</FormDialog>
	)
}

function Rules({ onAdd, onEdit }: { onAdd: () => void; onEdit: (r: Rule) => void }) {
	const may = useMay()
	const vendors = useVendors()
	const views = useViews()
	const [deleting, setDeleting] = useState<Rule | null>(null)
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the rules'), hint: t('Part of a suffix'), only: { key: 'view_id', label: t('View'), all: t('Every view'), data: (views.data?.items ?? []).map((v) => ({ value: v.id, label: v.name })) }, prefix: 'rule-' })
	const vendor = (key: string) => (key ? (vendors.data?.items.find((v) => v.key === key)?.title ?? key) : t('any vendor'))
	const view = (id: string) => views.data?.items.find((v) => v.id === id)?.name ?? id
	return (
		<>
			<DataTable<Rule>
				label={t('Which view for which names')}
				prefix="rule-"
				queryKey={['view-rules', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/view-rules', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(r) => r.id}
				filters={filters}
				empty={
					narrowed ? <NoneFits /> : <Empty title={t('No rule yet')} action={may('admin') && <Button onClick={onAdd}>{t('Add rule')}</Button>}>
						{t('Every name is looked at through the server’s own view. The rule of the longest matching suffix chooses another, or says: do not look, wait.')}
					</Empty>
				}
				columns={[
					{ title: t('Suffix'), sort: by('name'), render: (r) => (r.suffix ? <span className="mono"><Soft text={r.suffix} /></span> : t('every name')) },
					{ title: t('Vendor'), render: (r) => vendor(r.vendor) },
					{ title: t('What is done'), render: (r) => (r.view_id ? t('looked at through {view}', { view: view(r.view_id) }) : t('not looked at; {n} s after publishing the authority is told', { n: r.wait_s })) },
					{ title: t('Created At'), sort: when, render: (r) => <Time at={r.created_at} show="two" /> },
					{ title: t('Actions'), hideTitle: true, end: true, width: 60, render: (r) => <Actions label={t('Actions of the rule for {suffix}', { suffix: r.suffix || t('every name') })} onEdit={() => onEdit(r)} onDelete={() => setDeleting(r)} /> },
				]}
			/>
			{deleting && (
				<Confirm opened title={t('Delete rule')} action={t('Delete rule')} onClose={() => setDeleting(null)} run={() => remove('/view-rules/{id}', deleting.id)} done={t('The rule is deleted.')} reads={['view-rules']}>
					{t('Names below {suffix} are looked at by the next shorter rule, or through the server’s own view.', { suffix: deleting.suffix || t('every name') })}
				</Confirm>
			)}
		</>
	)
}

function RuleForm({ rule, onClose }: { rule: Rule | null; onClose: () => void }) {
	const client = useQueryClient()
	const vendors = useVendors()
	const views = useViews()
	const idem = useMemo(() => new Idempotency(), [])
	const form = useForm({
		initialValues: { suffix: rule?.suffix ?? '', vendor: rule?.vendor ?? '', look: rule && !rule.view_id ? 'wait' : 'view', view_id: rule?.view_id ?? '', wait_s: rule?.wait_s ?? 120 } as Record<string, unknown> & { suffix: string; vendor: string; look: string; view_id: string; wait_s: number },
		validate: { view_id: (v, all) => (all.look === 'view' && !v ? t('Choose a view.') : null) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = { suffix: v.suffix.trim(), vendor: v.vendor, view_id: v.look === 'view' ? v.view_id : '', wait_s: v.look === 'view' ? 0 : Number(v.wait_s) }
		if (rule) {
			const got = await api.GET('/view-rules/{id}', { params: { path: { id: rule.id } } })
			if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
			await unwrap(api.PATCH('/view-rules/{id}', { params: { path: { id: rule.id }, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body }))
		} else await unwrap(api.POST('/view-rules', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['view-rules'] })
		notifications.show({ message: t('The rule is saved.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={rule ? t('Change rule') : t('Add a rule')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Suffix')} placeholder="example.com" classNames={{ input: 'mono' }} spellCheck={false} description={t('This name and all names below it; empty for every name.')} data-autofocus {...form.getInputProps('suffix')} />
			<Select label={t('Vendor')} data={[{ value: '', label: t('any vendor') }, ...(vendors.data?.items ?? []).map((v) => ({ value: v.key, label: v.title }))]} {...form.getInputProps('vendor')} />
			<Radio.Group label={t('What is done')} {...form.getInputProps('look')}>
				<Group gap="lg" mt={6}>
					<Radio value="view" label={t('Look through a view')} />
					<Radio value="wait" label={t('Do not look, wait')} />
				</Group>
			</Radio.Group>
			{form.values.look === 'view' ? (
				<>
					<Select label={t('View')} data={(views.data?.items ?? []).map((v) => ({ value: v.id, label: v.name }))} {...form.getInputProps('view_id')} value={form.values.view_id || null} />
					{views.data?.items.length === 0 && <Notice tone="info">{t('There is no view yet: add one first.')}</Notice>}
				</>
			) : (
				<NumberInput label={t('Seconds after publishing')} min={0} max={86400} description={t('Records set by hand wait for your word instead.')} {...form.getInputProps('wait_s')} />
			)}
		</FormDialog>
	)
}
