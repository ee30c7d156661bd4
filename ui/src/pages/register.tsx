// SPDX-License-Identifier: Apache-2.0
// Register an ACME account: the form unfolds what the chosen vendor needs, and says where to find it.
import { Anchor, Button, Checkbox, Collapse, Group, List, PasswordInput, SegmentedControl, Select, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { api, finish, Idempotency, unwrap, type DirectoryReading, type Vendor } from '../api/client'
import { t } from '../i18n'
import { Failure, Notice } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { connectionBody, ConnectionFields, connectionOf, type Connection } from '../parts/connection'
import { hmacLength } from '../parts/eab'
import { CUSTOM, useVendors } from './vendors'

type EabFrom = 'paste' | 'email' | 'access-key'

interface Values extends Record<string, unknown> {
	vendor: string
	region: string
	directory_url: string
	email: string
	name: string
	use_eab: boolean
	eab_from: EabFrom
	eab_kid: string
	eab_hmac_key: string
	eab_access_key: string
	import: boolean
	account_key: string
	automatic: boolean
	agree_tos: boolean
	connection: Connection
}

type RegisterForm = ReturnType<typeof useRegisterForm>

/* A test CA that the server was told of (acme.trial_directory) stands first. */
const TRIAL = 'trial'

function useRegisterForm(find: (key: string) => Vendor | undefined) {
	return useForm<Values>({
		initialValues: { vendor: 'letsencrypt', region: '', directory_url: '', email: '', name: '', use_eab: false, eab_from: 'paste', eab_kid: '', eab_hmac_key: '', eab_access_key: '', import: false, account_key: '', automatic: false, agree_tos: false, connection: connectionOf(null) },
		validate: {
			directory_url: (v, all) => (all.vendor === CUSTOM && !/^https:\/\/\S+$/i.test(v.trim()) ? t('Give the address of the ACME directory; it begins with https://') : null),
			email: (v, all) => {
				const e = v.trim()
				if (!e && !all.import && (find(all.vendor)?.contact_required || (all.use_eab && all.eab_from === 'email'))) return t('This vendor wants an e-mail address.')
				return e && !/^[^\s@]+@[^\s@]+$/.test(e) ? t('This is not an e-mail address.') : null
			},
			eab_kid: (v, all) => (pastes(all) && !v.trim() ? t('Paste the key identifier.') : null),
			eab_hmac_key: (v, all) => (!pastes(all) ? null : !v.trim() ? t('Paste the HMAC key.') : hmacLength(v) ? null : t('This is neither base64url nor base64 text.')),
			eab_access_key: (v, all) => (all.use_eab && !all.import && all.eab_from === 'access-key' && !v.trim() ? t('Paste the access key.') : null),
			account_key: (v, all) => (all.import && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(v) ? t('Paste the private key of the account as PEM text.') : null),
			agree_tos: (v, all) => (v || all.import ? null : t('The vendor registers only who agrees to its terms.')),
		},
	})
}

/** One directory as it is now. The server answers with the reading, or with the job that makes it. */
export async function readDirectory(body: { vendor?: string; region?: string; directory_url?: string }): Promise<DirectoryReading> {
	const ask = () => api.POST('/vendors/read', { body })
	return finish<DirectoryReading>(await ask(), async () => finish<DirectoryReading>(await ask(), async () => Promise.reject(new Error(t('The directory is still being read.')))))
}

export function RegisterDialog({ onClose }: { onClose: () => void }) {
	const vendors = useVendors()
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const [reading, setReading] = useState<DirectoryReading | null>(null)
	const [looking, setLooking] = useState(false)
	const [lookError, setLookError] = useState<unknown>(null)
	const find = (key: string): Vendor | undefined => vendors.data?.items.find((v) => v.key === key)
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')) })
	const trial = status.data?.trial_directory ?? null
	const form = useRegisterForm(find)
	const { setFieldValue, isDirty } = form
	useEffect(() => {
		if (trial && !isDirty('vendor')) setFieldValue('vendor', TRIAL)
	}, [trial, isDirty, setFieldValue])
	const v = form.values
	const vendor = find(v.vendor)
	const custom = v.vendor === CUSTOM
	const trying = v.vendor === TRIAL && trial !== null
	const facts = reading?.facts ?? vendor?.reading?.facts ?? null
	const terms = facts?.tos_url ?? vendor?.terms_url ?? null
	const bytes = hmacLength(v.eab_hmac_key)
	const where = () => (trying ? { directory_url: trial } : custom ? { directory_url: v.directory_url.trim() } : v.directory_url.trim() ? { vendor: v.vendor, directory_url: v.directory_url.trim() } : v.region ? { vendor: v.vendor, region: v.region } : { vendor: v.vendor })

	const { busy, error, onSubmit } = useSubmit(form, async () => {
		const eab = v.import || !v.use_eab ? {} : v.eab_from === 'paste' ? { eab_kid: v.eab_kid.trim(), eab_hmac_key: v.eab_hmac_key.trim() } : v.eab_from === 'email' ? { eab_from: 'email' as const } : { eab_from: 'access-key' as const, eab_access_key: v.eab_access_key.trim() }
		const body = {
			...where(),
			...(v.email.trim() ? { email: v.email.trim() } : {}),
			...(v.name.trim() ? { name: v.name.trim() } : {}),
			...eab,
			...(v.import ? { account_key: v.account_key } : facts?.tos_url ? { terms_url: facts.tos_url } : {}),
			agree_tos: !v.import && v.agree_tos,
			automatic: v.automatic,
			...(custom && connectionBody(v.connection) ? { connection: connectionBody(v.connection) } : {}),
		}
		await finish(await api.POST('/accounts', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }), async () => undefined)
		void client.invalidateQueries({ queryKey: ['accounts'] })
		void client.invalidateQueries({ queryKey: ['vendors'] })
		notifications.show({ message: v.import ? t('The account is imported.') : t('The account is registered.'), color: 'green' })
		onClose()
	})
	const forget = () => {
		setReading(null)
		setLookError(null)
		form.setFieldValue('agree_tos', false)
	}
	const choose = (key: string | null) => {
		if (!key) return
		form.setValues({ vendor: key, region: '', directory_url: '', use_eab: find(key)?.eab_required ?? false, eab_from: 'paste', automatic: false })
		form.clearErrors()
		forget()
	}
	const look = async () => {
		setLooking(true)
		setLookError(null)
		try {
			const r = await readDirectory(where())
			setReading(r)
			if (r.facts?.eab_required) form.setFieldValue('use_eab', true)
		} catch (e) {
			setLookError(e)
		} finally {
			setLooking(false)
		}
	}
	const regionUrl = vendor?.regions.find((r) => r.key === v.region)?.directory_url

	return (
		<FormDialog opened title={t('Register an ACME account')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={v.import ? t('Import') : t('Register')}>
			{vendors.isError && <Failure error={vendors.error} retry={() => void vendors.refetch()} />}
			<Select
				label={t('Vendor')}
				searchable
				nothingFoundMessage={t('No such vendor; choose “Other ACME directory”.')}
				data={[...(trial ? [{ value: TRIAL, label: t('Trial authority of this server') }] : []), ...(vendors.data?.items ?? []).filter((x) => x.key !== CUSTOM).filter((x, i, l) => l.findIndex((y) => y.key === x.key) === i).map((x) => ({ value: x.key, label: x.costs_money ? t('{vendor} (paid)', { vendor: x.title }) : x.title, disabled: x.discontinued !== null })), { value: CUSTOM, label: t('Other ACME directory') }]}
				description={trying ? <span className="mono">{trial}</span> : vendor ? <span className="mono">{v.directory_url || regionUrl || vendor.directory_url}</span> : undefined}
				{...form.getInputProps('vendor')}
				onChange={choose}
			/>
			{vendor?.discontinued && <Notice tone="warn">{vendor.discontinued}</Notice>}
			{(trying || vendor?.staging) && <Notice tone="info">{t('A staging vendor is for trials: browsers do not trust its certificates, and its limits are wide.')}</Notice>}
			{vendor?.costs_money && (
				<Notice tone="warn" title={t('Certificates of this vendor cost money')}>
					{vendor.price}
				</Notice>
			)}
			{vendor && vendor.regions.length > 0 && <Select label={t('Region or product')} data={vendor.regions.map((r) => ({ value: r.key, label: r.note ? `${r.title}: ${r.note}` : r.title }))} placeholder={vendor.regions[0]?.title} clearable value={v.region || null} onChange={(x) => { form.setFieldValue('region', x ?? ''); form.setFieldValue('directory_url', ''); forget() }} error={form.errors.region} />}
			{(custom || (vendor && vendor.regions.length > 0)) && <TextInput label={custom ? t('Directory URL') : t('Another directory URL of this vendor')} description={custom ? undefined : t('As its portal shows it, with all parameters; leave it empty for the one above.')} placeholder="https://acme.example.com/directory" classNames={{ input: 'mono' }} spellCheck={false} {...form.getInputProps('directory_url')} onChange={(e) => { form.setFieldValue('directory_url', e.currentTarget.value); setReading(null) }} />}
			{custom && <ConnectionFields url={v.directory_url} value={v.connection} error={form.errors.connection} onChange={(c) => form.setFieldValue('connection', c)} />}
			<TextInput label={t('E-mail')} type="email" autoComplete="email" description={vendor?.contact_required ? t('This vendor wants one.') : vendor?.quirks.some((q) => q.name === 'contact-dropped') ? t('This vendor keeps none; it is for your own reference.') : t('Where the vendor writes when something is wrong; may be left empty.')} {...form.getInputProps('email')} />
			{vendor?.quirks.some((q) => q.name === 'many-accounts') && <TextInput label={t('Name')} description={t('Several accounts may share this vendor’s URL and your e-mail address: a name tells them apart.')} {...form.getInputProps('name')} />}
			<Switch label={t('I have an account already and its private key')} description={v.import ? t('The vendor is asked for the account of this key; no account is made.') : undefined} checked={v.import} onChange={(e) => form.setFieldValue('import', e.currentTarget.checked)} />
			{v.import && <Textarea label={t('Private key of the account')} autosize minRows={4} maxRows={10} spellCheck={false} autoComplete="off" classNames={{ input: 'mono' }} placeholder="-----BEGIN PRIVATE KEY-----" {...form.getInputProps('account_key')} />}
			{!v.import && (
				<div>
					<Switch label={t('Use External Account Binding')} description={vendor?.eab_required ? t('{vendor} registers only accounts bound to a customer account.', { vendor: vendor.title }) : t('Only for vendors that gave you a key identifier and an HMAC key.')} checked={v.use_eab} onChange={(e) => form.setFieldValue('use_eab', e.currentTarget.checked)} />
					<Collapse expanded={v.use_eab}>{v.use_eab && <Eab vendor={vendor} form={form} bytes={bytes} />}</Collapse>
				</div>
			)}
			{vendor?.costs_money && <Checkbox label={t('Renewals and other automatic acts may order from this account')} description={t('Otherwise a person has to order each certificate.')} {...form.getInputProps('automatic', { type: 'checkbox' })} />}
			{!v.import && (
				<div>
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
					<Group gap="xs" mt={6}>
						<Button size="compact-sm" variant="default" loading={looking} onClick={() => void look()} disabled={custom && !/^https:\/\/\S+$/i.test(v.directory_url.trim())}>
							{t('Show the present terms')}
						</Button>
						{reading?.facts && <Text size="sm" c="dimmed" className="break">{reading.facts.tos_url ?? t('The directory names no terms.')}</Text>}
					</Group>
					{lookError !== null && <Failure error={lookError} />}
				</div>
			)}
		</FormDialog>
	)
}

function pastes(all: Values): boolean {
	return all.use_eab && !all.import && all.eab_from === 'paste'
}

function Eab({ vendor, form, bytes }: { vendor: Vendor | undefined; form: RegisterForm; bytes: number }) {
	const from = form.values.eab_from
	return (
		<Stack gap="md" pt="md">
			{vendor?.eab_fetch && (
				<SegmentedControl
					fullWidth
					aria-label={t('Where the values come from')}
					data={[
						{ value: 'paste', label: t('I have the values') },
						{ value: 'email', label: t('Ask by e-mail address') },
						{ value: 'access-key', label: t('Ask by access key') },
					]}
					value={from}
					onChange={(x) => form.setFieldValue('eab_from', x as EabFrom)}
				/>
			)}
			{from === 'paste' && vendor && vendor.eab_steps.length > 0 && (
				<Notice tone="info" title={t('Where to find the values')}>
					<List type="ordered" size="sm" mt={4}>
						{vendor.eab_steps.map((s, i) => (
							<List.Item key={i}>{s}</List.Item>
						))}
					</List>
					{vendor.eab_life && <Text size="sm" mt={6}>{vendor.eab_life}</Text>}
					{vendor.docs_url && (
						<Anchor size="sm" href={vendor.docs_url} target="_blank" rel="noreferrer noopener">
							{t('The vendor’s own documentation')}
						</Anchor>
					)}
				</Notice>
			)}
			{from === 'email' && <Notice tone="info">{t('{vendor} is asked for the values with the e-mail address above; nothing has to be copied.', { vendor: vendor?.title ?? '' })}</Notice>}
			{from === 'access-key' && <PasswordInput size="md" label={t('Access key')} description={t('From the Developer page of the dashboard. It is used once and then forgotten.')} autoComplete="off" visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the key') }} {...form.getInputProps('eab_access_key')} />}
			{from === 'paste' && (
				<>
					<TextInput label={t('EAB key identifier (KID)')} autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }} {...form.getInputProps('eab_kid')} />
					<PasswordInput size="md" label={t('EAB HMAC key')} autoComplete="off" description={bytes ? t('{n} bytes when decoded. It is forgotten once the account is registered.', { n: bytes }) : t('As the vendor shows it: base64url or base64, with or without = at its end. It is forgotten once the account is registered.')} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the key') }} {...form.getInputProps('eab_hmac_key')} />
				</>
			)}
		</Stack>
	)
}

