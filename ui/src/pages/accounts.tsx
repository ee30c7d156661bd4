// SPDX-License-Identifier: Apache-2.0
// Integrations › ACME › Accounts.
import { ActionIcon, Button, Checkbox, Collapse, Group, Menu, PasswordInput, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useSearchParams } from 'wouter'
import { api, finish, Idempotency, remove, unwrap, type Account, type Vendor } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, Empty, Failure, Notice, Soft, Staging, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Page } from '../parts/page'
import { DataTable } from '../parts/table'

export const CUSTOM = 'custom'

export function useVendors() {
	return useQuery({ queryKey: ['vendors'], queryFn: () => unwrap(api.GET('/vendors')), staleTime: 10 * 60_000 })
}

/** A directory that is not in the list is known by its host. */
export function vendorName(a: Account): string {
	if (a.vendor !== CUSTOM) return a.vendor_title
	try {
		return new URL(a.directory_url).host
	} catch {
		return a.vendor_title
	}
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

export function AccountsPage() {
	const may = useMay()
	const [search, setSearch] = useSearchParams()
	const registering = search.get('register') !== null
	const setRegistering = (on: boolean) => setSearch(on ? { register: '' } : {}, { replace: true })
	const [deleting, setDeleting] = useState<Account | null>(null)
	const [why, setWhy] = useState<Account | null>(null)
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
				queryKey={['accounts']}
				read={({ limit, cursor }) => unwrap(api.GET('/accounts', { params: { query: { limit, cursor } } }))}
				rowKey={(a) => a.id}
				empty={
					<Empty title={t('No account yet')} action={may('account') && <Button onClick={() => setRegistering(true)}>{t('Register')}</Button>}>
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
							<Group gap="xs">
								{vendorName(a)}
								<Staging on={a.staging} />
							</Group>
						),
					},
					{ title: t('Status'), render: (a) => <AccountStatus account={a} /> },
					{ title: t('Endpoint'), render: (a) => <span className="mono"><Soft text={a.directory_url} /></span> },
					{ title: t('Created At'), render: (a) => <Time at={a.created_at} show="two" /> },
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
		</Page>
	)
}

function DeleteAccount({ account, onClose }: { account: Account; onClose: () => void }) {
	const orders = useQuery({ queryKey: ['orders', { account_id: account.id, count: true }], queryFn: () => unwrap(api.GET('/orders', { params: { query: { account_id: account.id, limit: 200 } } })) })
	const n = orders.data?.items.length ?? 0
	const live = orders.data?.items.filter((o) => o.status !== 'valid' && o.status !== 'invalid').length ?? 0
	return (
		<Confirm opened title={t('Delete account')} action={t('Delete account')} onClose={onClose} run={() => remove('/accounts/{id}', account.id)} done={t('The account is deleted.')} reads={['accounts', 'orders', 'status']}>
			<p style={{ marginTop: 0 }}>{t('{email} at {vendor} will be deleted here.', { email: account.email || account.name, vendor: vendorName(account) })}</p>
			<ul style={{ paddingLeft: 20, margin: 0 }}>
				<li>{orders.data?.has_more ? t('Its orders, more than 200, become invisible.') : n === 0 ? t('It has no orders.') : n === 1 ? t('Its one order becomes invisible.') : t('Its {n} orders become invisible.', { n })}</li>
				{live > 0 && <li>{live === 1 ? t('One of them is in flight.') : t('{n} of them are in flight.', { n: live })}</li>}
				<li>{t('Its certificates, CSRs and keys stay.')}</li>
			</ul>
		</Confirm>
	)
}

interface Values extends Record<string, unknown> {
	vendor: string
	directory_url: string
	email: string
	use_eab: boolean
	eab_kid: string
	eab_hmac_key: string
	agree_tos: boolean
}

/* Where each vendor keeps the agreement a person is asked to read. */
const TERMS: Record<string, string> = {
	letsencrypt: 'https://letsencrypt.org/repository/',
	'letsencrypt-staging': 'https://letsencrypt.org/repository/',
	zerossl: 'https://zerossl.com/terms/',
	'sslcom-rsa': 'https://www.ssl.com/repository/',
	'sslcom-ecc': 'https://www.ssl.com/repository/',
	google: 'https://pki.goog/repository/',
	'google-staging': 'https://pki.goog/repository/',
	digicert: 'https://www.digicert.com/legal-repository',
}

function RegisterDialog({ onClose }: { onClose: () => void }) {
	const vendors = useVendors()
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const form = useForm<Values>({
		initialValues: { vendor: 'letsencrypt', directory_url: '', email: '', use_eab: false, eab_kid: '', eab_hmac_key: '', agree_tos: false },
		validate: {
			directory_url: (v, all) => (all.vendor === CUSTOM && !/^https:\/\/\S+$/i.test(v.trim()) ? t('Give the address of the ACME directory; it begins with https://') : null),
			email: (v, all) => {
				const e = v.trim()
				if (!e && find(all.vendor)?.contact_required) return t('This vendor wants an e-mail address.')
				return e && !/^[^\s@]+@[^\s@]+$/.test(e) ? t('This is not an e-mail address.') : null
			},
			eab_kid: (v, all) => (all.use_eab && !v.trim() ? t('Paste the key identifier.') : null),
			eab_hmac_key: (v, all) => (all.use_eab && !v.trim() ? t('Paste the HMAC key.') : null),
			agree_tos: (v) => (v ? null : t('The vendor registers only who agrees to its terms.')),
		},
	})
	const find = (key: string): Vendor | undefined => vendors.data?.items.find((v) => v.key === key)
	const vendor = find(form.values.vendor)
	const custom = form.values.vendor === CUSTOM

	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = {
			...(v.vendor === CUSTOM ? { directory_url: v.directory_url.trim() } : { vendor: v.vendor }),
			...(v.email.trim() ? { email: v.email.trim() } : {}),
			agree_tos: v.agree_tos,
			...(v.use_eab ? { eab_kid: v.eab_kid.trim(), eab_hmac_key: v.eab_hmac_key.trim() } : {}),
		}
		await finish(await api.POST('/accounts', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }), async () => undefined)
		void client.invalidateQueries({ queryKey: ['accounts'] })
		notifications.show({ message: t('The account is registered.'), color: 'green' })
		onClose()
	})
	const choose = (key: string | null) => {
		if (!key) return
		form.setFieldValue('vendor', key)
		form.setFieldValue('use_eab', find(key)?.eab_required ?? false)
		form.clearErrors()
	}
	const terms = TERMS[form.values.vendor]

	return (
		<FormDialog opened title={t('Register an ACME account')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Register')}>
			{vendors.isError && <Failure error={vendors.error} retry={() => void vendors.refetch()} />}
			<Select
				label={t('Vendor')}
				searchable
				nothingFoundMessage={t('No such vendor; choose “Other ACME directory”.')}
				data={[...(vendors.data?.items ?? []).map((v) => ({ value: v.key, label: v.title, disabled: v.discontinued !== null })), { value: CUSTOM, label: t('Other ACME directory') }]}
				description={vendor ? <span className="mono">{vendor.directory_url}</span> : undefined}
				{...form.getInputProps('vendor')}
				onChange={choose}
			/>
			{vendor?.discontinued && <Notice tone="warn">{vendor.discontinued}</Notice>}
			{vendor?.staging && <Notice tone="info">{t('A staging vendor is for trials: browsers do not trust its certificates, and its limits are wide.')}</Notice>}
			{custom && <TextInput label={t('Directory URL')} placeholder="https://acme.example.com/directory" classNames={{ input: 'mono' }} spellCheck={false} {...form.getInputProps('directory_url')} />}
			<TextInput label={t('E-mail')} type="email" autoComplete="email" description={vendor?.contact_required ? t('This vendor wants one.') : t('Where the vendor writes when something is wrong; may be left empty.')} {...form.getInputProps('email')} />
			<div>
				<Switch label={t('Use External Account Binding')} description={vendor?.eab_required ? t('{vendor} registers only accounts bound to a customer account.', { vendor: vendor.title }) : t('Only for vendors that gave you a key identifier and an HMAC key.')} checked={form.values.use_eab} onChange={(e) => form.setFieldValue('use_eab', e.currentTarget.checked)} />
				<Collapse expanded={form.values.use_eab}>
					{form.values.use_eab && (
						<Stack gap="md" pt="md">
							{vendor?.eab_help && (
								<Notice tone="info" title={t('Where to find the values')}>
									{vendor.eab_help}
								</Notice>
							)}
							<TextInput label={t('EAB key identifier (KID)')} autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }} {...form.getInputProps('eab_kid')} />
							<PasswordInput size="md" label={t('EAB HMAC key')} autoComplete="off" description={t('As the vendor shows it, base64url. It is kept sealed and not shown again.')} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the key') }} {...form.getInputProps('eab_hmac_key')} />
						</Stack>
					)}
				</Collapse>
			</div>
			<Checkbox
				label={
					<>
						{t('I agree to the terms of service of {vendor}', { vendor: vendor?.title ?? t('this authority') })}
						{terms && (
							<>
								{' ('}
								<a className="inline-link" href={terms} target="_blank" rel="noreferrer noopener">
									{t('read them')}
								</a>
								{')'}
							</>
						)}
					</>
				}
				{...form.getInputProps('agree_tos', { type: 'checkbox' })}
			/>
		</FormDialog>
	)
}
