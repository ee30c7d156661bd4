// SPDX-License-Identifier: Apache-2.0
// Integrations › ACME › Accounts.
import { ActionIcon, Button, Checkbox, Group, Menu, Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { api, ApiError, finish, problemOf, unwrap, type Account } from '../api/client'
import { connectionBody, ConnectionFields, connectionOf, type Connection } from '../parts/connection'
import { useMay } from '../api/session'
import { plural, t } from '../i18n'
import { Because, Empty, Failure, Notice, Soft, Staging, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Page } from '../parts/page'
import { Choose, DataTable, FindText, NoneFits, useFilters, useNewestFirst } from '../parts/table'
import { readDirectory, RegisterDialog } from './register'
import { CUSTOM } from './vendors'

/** A directory that is not in the list is known by its host. */
export function vendorName(a: Account): string {
	if (a.vendor !== CUSTOM) return a.vendor_title
	try {
		return new URL(a.directory_url).host
	} catch {
		return a.vendor_title
	}
}

/** "email --- vendor", with what tells it from others; a directory of one's own is known by its host. */
export function accountLabel(a: Account): string {
	if (a.vendor !== CUSTOM) return a.label
	const plain = `${a.email || a.name} --- ${vendorName(a)}`
	const apart = /\(.*\)$/.exec(a.label)?.[0]
	return apart ? `${plain} ${apart}` : plain
}

export function AccountStatus({ account }: { account: Account }) {
	const tone = account.status === 'valid' ? 'good' : account.status === 'invalid' ? 'bad' : 'busy'
	const why = account.reason ? [account.reason.detail ?? account.reason.title, account.reason.remote].filter(Boolean).join(' — ') : undefined
	return (
		<Tone tone={tone} title={why}>
			{account.status}
		</Tone>
	)
}

const ACCOUNT_STATUSES = ['registering', 'valid', 'invalid'] as const

export function AccountsPage() {
	const may = useMay()
	const [search, setSearch] = useSearchParams()
	const registering = search.get('register') !== null
	const setRegistering = (on: boolean) => setSearch(on ? { register: '' } : {}, { replace: true })
	const [{ q, status }, narrow] = useFilters('q', 'status')
	const { sort, head } = useNewestFirst()
	const query = { ...(q ? { q } : {}), ...(status ? { status: status as Account['status'] } : {}), ...(sort ? { sort } : {}) }
	const [deleting, setDeleting] = useState<Account | null>(null)
	const [why, setWhy] = useState<Account | null>(null)
	const [editing, setEditing] = useState<Account | null>(null)
	const [contact, setContact] = useState<Account | null>(null)
	const [agreeing, setAgreeing] = useState<Account | null>(null)
	const [rolling, setRolling] = useState<Account | null>(null)
	const { act } = useAct()

	return (
		<Page
			title={t('Accounts')}
			crumbs={[{ text: t('Integrations') }, { text: t('ACME') }]}
			actions={
				may('account') && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setRegistering(true)}>
						{t('Register')}
					</Button>
				)
			}
		>
			{why?.reason && <Because reason={why.reason} />}
			<DataTable<Account>
				label={t('Accounts')}
				queryKey={['accounts', 'list', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/accounts', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(a) => a.id}
				filters={
					<>
						<FindText value={q} least={1} label={t('Search the accounts')} hint={t('Name, e-mail, address or key id')} onChange={(next) => narrow({ q: next })} />
						<Choose label={t('Status')} all={t('Every status')} value={status} onChange={(next) => narrow({ status: next })} data={ACCOUNT_STATUSES.map((x) => ({ value: x, label: x }))} />
					</>
				}
				empty={
					q || status ? <NoneFits /> : <Empty title={t('No account yet')} action={may('account') && <Button onClick={() => setRegistering(true)}>{t('Register')}</Button>}>
						{t('An account is how a certificate authority knows you. Register one, and you can order certificates from it.')}
					</Empty>
				}
				columns={[
					{
						title: t('E-mail'),
						render: (a) => (
							<>
								<Soft text={a.email || t('none')} />
								{a.name && a.name !== a.email && !a.name.startsWith(`${a.email} --- `) && <Text c="dimmed" size="sm">{a.name}</Text>}
							</>
						),
					},
					{
						title: t('Vendor'),
						render: (a) => (
							<>
								<Group gap="xs">
									{vendorName(a)}
									<Staging on={a.staging} />
									{a.costs_money && <Tone tone="warn">{t('paid')}</Tone>}
								</Group>
								{a.eab_kid && (
									<Text c="dimmed" size="sm" className="mono">
										{t('key id …{end}', { end: a.eab_kid.slice(-4) })}
									</Text>
								)}
							</>
						),
					},
					{
						title: t('Status'),
						render: (a) => (
							<>
								<AccountStatus account={a} />
								{a.key_changing && <Text c="dimmed" size="sm">{t('its key is being changed')}</Text>}
							</>
						),
					},
					{ title: t('Endpoint'), render: (a) => <span className="mono"><Soft text={a.directory_url} /></span> },
					{ title: t('Created At'), sort: head, render: (a) => <Time at={a.created_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 60,
						render: (a) =>
							may('account') && (
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of account {name}', { name: a.email || a.name })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										{a.reason && (
											<Menu.Item leftSection={<Icon name="info" size={16} />} onClick={() => setWhy(a)}>
												{t('Why this status')}
											</Menu.Item>
										)}
										<Menu.Item leftSection={<Icon name="refresh" size={16} />} onClick={() => void act('refresh', async () => finish(await api.POST('/accounts/{id}/refresh', { params: { path: { id: a.id } } }), async () => undefined), t('The account was asked about at its vendor.'), ['accounts'])}>
											{t('Refresh')}
										</Menu.Item>
										<Menu.Item onClick={() => setEditing(a)}>{t('Edit')}</Menu.Item>
										<Menu.Item onClick={() => setContact(a)}>{t('Change e-mail address')}</Menu.Item>
										<Menu.Item onClick={() => setAgreeing(a)}>{t('Agree to new terms')}</Menu.Item>
										<Menu.Item leftSection={<Icon name="token" size={16} />} onClick={() => setRolling(a)}>
											{t('Change its key')}
										</Menu.Item>
										<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(a)}>
											{t('Delete')}
										</Menu.Item>
									</Menu.Dropdown>
								</Menu>
							),
					},
				]}
			/>
			{registering && may('account') && <RegisterDialog onClose={() => setRegistering(false)} />}
			{deleting && <DeleteAccount account={deleting} onClose={() => setDeleting(null)} />}
			{editing && <EditAccount account={editing} onClose={() => setEditing(null)} />}
			{contact && <ChangeContact account={contact} onClose={() => setContact(null)} />}
			{agreeing && <AgreeTerms account={agreeing} onClose={() => setAgreeing(null)} />}
			{rolling && (
				<Confirm opened danger={false} title={t('Change the account’s key')} action={t('Change key')} onClose={() => setRolling(null)} run={() => asking('/accounts/{id}/rollover', rolling.id)} done={t('The account has a new key.')} reads={['accounts']}>
					<p style={{ margin: 0 }}>{t('{label} gets a new private key at its authority; the old one is destroyed. Its orders wait for the moment it takes.', { label: rolling.label })}</p>
				</Confirm>
			)}
		</Page>
	)
}


async function asking(path: '/accounts/{id}/rollover' | '/accounts/{id}/refresh', id: string) {
	await finish(await api.POST(path, { params: { path: { id } } }), async () => undefined)
}

/** Reads the object, then changes or deletes what was read. */
async function etagOf(id: string): Promise<string> {
	const got = await api.GET('/accounts/{id}', { params: { path: { id } } })
	if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
	return got.response.headers.get('ETag') ?? '*'
}

function EditAccount({ account, onClose }: { account: Account; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm<Record<string, unknown> & { name: string; preferred_issuer: string; automatic: boolean; connection: Connection }>({ initialValues: { name: account.name, preferred_issuer: account.preferred_issuer ?? '', automatic: account.automatic, connection: connectionOf(account.connection) } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		await unwrap(api.PATCH('/accounts/{id}', { params: { path: { id: account.id }, header: { 'If-Match': await etagOf(account.id) } }, body: { name: v.name.trim(), preferred_issuer: v.preferred_issuer.trim(), automatic: v.automatic, ...(form.isDirty('connection') ? { connection: connectionBody(v.connection) } : {}) } }))
		void client.invalidateQueries({ queryKey: ['accounts'] })
		notifications.show({ message: t('The account is changed.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Edit account')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Name')} description={t('Here only. Left empty it is the e-mail address and the vendor.')} {...form.getInputProps('name')} />
			<TextInput label={t('Preferred issuer')} description={t('Where the authority offers several chains: the one whose issuer has this name. Left empty it is the authority’s choice.')} {...form.getInputProps('preferred_issuer')} />
			<ConnectionFields url={account.directory_url} value={form.values.connection} error={form.errors.connection} onChange={(c) => form.setFieldValue('connection', c)} />
			{account.costs_money && <Checkbox label={t('Renewals and other automatic acts may order from this account')} description={t('Its certificates cost money; otherwise a person has to order each of them.')} {...form.getInputProps('automatic', { type: 'checkbox' })} />}
		</FormDialog>
	)
}

function ChangeContact({ account, onClose }: { account: Account; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm<Record<string, unknown> & { email: string }>({ initialValues: { email: account.email } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		await finish(await api.POST('/accounts/{id}/contact', { params: { path: { id: account.id } }, body: { email: v.email.trim() } }), async () => undefined)
		void client.invalidateQueries({ queryKey: ['accounts'] })
		notifications.show({ message: t('The e-mail address is changed.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Change e-mail address')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Change')}>
			<TextInput label={t('E-mail')} type="email" autoComplete="email" description={t('{vendor} is told the new address.', { vendor: vendorName(account) })} {...form.getInputProps('email')} />
		</FormDialog>
	)
}

/** The terms are read now; what is agreed to is what is shown. */
function AgreeTerms({ account, onClose }: { account: Account; onClose: () => void }) {
	const reading = useQuery({ queryKey: ['directory', account.directory_url], queryFn: () => readDirectory({ directory_url: account.directory_url }), gcTime: 0 })
	const terms = reading.data?.facts?.tos_url ?? null
	return (
		<Confirm opened danger={false} title={t('Terms of service')} action={t('I agree')} onClose={onClose} run={async () => { await finish(await api.POST('/accounts/{id}/agree', { params: { path: { id: account.id } }, body: terms ? { terms_url: terms } : {} }), async () => undefined) }} done={t('The terms are agreed to.')} reads={['accounts', 'orders']}>
			{reading.isPending && <Text c="dimmed">{t('Reading the directory of {vendor} …', { vendor: vendorName(account) })}</Text>}
			{reading.isError && <Failure error={reading.error} retry={() => void reading.refetch()} />}
			{reading.data && (
				<>
					<p style={{ marginTop: 0 }}>{t('The present terms of {vendor}:', { vendor: vendorName(account) })}</p>
					{terms ? (
						<a className="inline-link break" href={terms} target="_blank" rel="noreferrer noopener">
							{terms}
						</a>
					) : (
						t('The directory names no terms.')
					)}
					{account.tos_url && terms && account.tos_url !== terms && <p>{t('Agreed to before: {url}', { url: account.tos_url })}</p>}
				</>
			)}
		</Confirm>
	)
}

function DeleteAccount({ account, onClose }: { account: Account; onClose: () => void }) {
	const preview = useQuery({ queryKey: ['deletion', account.id], queryFn: () => unwrap(api.GET('/accounts/{id}/deletion', { params: { path: { id: account.id } } })), gcTime: 0 })
	const others = useQuery({ queryKey: ['accounts', 'choose'], queryFn: () => unwrap(api.GET('/accounts', { params: { query: { limit: 200 } } })) })
	const [takeover, setTakeover] = useState<string | null>(null)
	const [deactivate, setDeactivate] = useState(false)
	const [destroy, setDestroy] = useState(false)
	const d = preview.data
	const run = async () => {
		await unwrap(api.DELETE('/accounts/{id}', { params: { path: { id: account.id }, query: { ...(takeover ? { takeover } : {}), authority: deactivate ? 'deactivate' : 'keep', key: destroy ? 'destroy' : 'keep' }, header: { 'If-Match': await etagOf(account.id) } } }))
	}
	return (
		<Confirm opened title={t('Delete account')} action={t('Delete account')} onClose={onClose} run={run} done={t('The account is deleted.')} reads={['accounts', 'orders', 'certificates', 'status']}>
			<Stack gap="md">
				<div className="break">{t('{label} will be deleted here.', { label: account.label })}</div>
				{preview.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
				{d && (
					<ul style={{ paddingLeft: 20, margin: 0 }}>
						<li>{d.orders === 0 ? t('It has no orders.') : plural(d.orders, 'Its one order becomes invisible.', 'Its {n} orders become invisible.')}</li>
						{d.live_orders > 0 && (
							<li>
								{plural(d.live_orders, 'One order is under way and is ended first: its authorizations are deactivated, its records withdrawn.', '{n} orders are under way and are ended first: their authorizations are deactivated, their records withdrawn.')}
								<Listed items={d.live.map((o) => o.display_names[0] ?? '')} more={d.live_orders > d.live.length} />
							</li>
						)}
						<li>{d.certificates === 0 ? t('It has issued no certificates.') : plural(d.certificates, 'Its one certificate stays, usable and exportable.', 'Its {n} certificates stay, usable and exportable.')}</li>
						{d.renewed > 0 && (
							<li>
								{plural(d.renewed, 'One certificate is renewed with it automatically.', '{n} certificates are renewed with it automatically.')}
								<Listed items={d.certificate_list.filter((c) => c.renewed).map((c) => c.display_names[0] ?? '')} more={d.more_certificates} />
							</li>
						)}
					</ul>
				)}
				{d && d.certificates > 0 && (
					<Select
						label={t('Who takes the certificates over?')}
						placeholder={d.renewed > 0 ? t('Choose an account') : t('Nobody')}
						data={[...(others.data?.items ?? []).filter((a) => a.id !== account.id && a.status === 'valid').map((a) => ({ value: a.id, label: a.automatic_allowed ? a.label : t('{label} (automatic orders are not allowed)', { label: a.label }), disabled: !a.automatic_allowed })), { value: 'none', label: t('Nobody: they are not renewed any more') }]}
						value={takeover}
						onChange={setTakeover}
						searchable
					/>
				)}
				{takeover === 'none' && d && d.renewed > 0 && <Notice tone="bad">{plural(d.renewed, 'That certificate will expire unless somebody gives it another account. It raises an alarm at once.', 'Those {n} certificates will expire unless somebody gives them another account. Each raises an alarm at once.')}</Notice>}
				{d?.registered && <Checkbox label={t('Deactivate it at {vendor}, too', { vendor: vendorName(account) })} description={t('For good: nobody can use the account again, here or elsewhere.')} checked={deactivate} onChange={(e) => setDeactivate(e.currentTarget.checked)} />}
				<Checkbox label={t('Destroy its private key now')} description={t('Nothing it issued can be revoked with the account any more. Otherwise the key is kept, sealed, until the last of its certificates has expired.')} checked={destroy} onChange={(e) => setDestroy(e.currentTarget.checked)} />
			</Stack>
		</Confirm>
	)
}

function Listed({ items, more }: { items: string[]; more: boolean }) {
	if (!items.length) return null
	return (
		<Text size="sm" c="dimmed" className="break">
			{items.slice(0, 8).join(', ')}
			{(more || items.length > 8) && ' …'}
		</Text>
	)
}
