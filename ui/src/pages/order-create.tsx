// SPDX-License-Identifier: Apache-2.0
// Create ACME Order. What can be known here (a wildcard with http-01, a name twice) is said before anything is sent.
import { Group, Radio, Select, Stack, Text, Textarea } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { api, Idempotency, unwrap, type Order } from '../api/client'
import { t } from '../i18n'
import { CopyLine, Failure, LinkButton, Notice } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { Preflight } from '../parts/looks'
import { MethodsPreview } from '../parts/methods'
import { methodChoices, useKinds, useProviders } from './external-dns'
import { noOptions, OptionFields, optionsBody, type OrderOptions } from './order-options'
import { AccountField, AUTO, methodBody, useCsrs, useValidAccounts, ValidationField, withMethod, type Validation } from './order-fields'
import { useVendors } from './vendors'
import { challengeZones, isWildcard, nameProblem, parseNames } from '../parts/names'

export const KEY_TYPES = [
	{ value: 'p256', label: 'ECDSA P-256' },
	{ value: 'p384', label: 'ECDSA P-384' },
	{ value: 'rsa2048', label: 'RSA 2048' },
	{ value: 'rsa3072', label: 'RSA 3072' },
	{ value: 'rsa4096', label: 'RSA 4096' },
] as const
export type KeyType = (typeof KEY_TYPES)[number]['value']

export function keyTypeLabel(k: string): string {
	return KEY_TYPES.find((x) => x.value === k)?.label ?? k
}

interface Values extends OrderOptions {
	account_id: string | null
	source: 'names' | 'csr'
	csr_id: string | null
	names: string
	key_type: KeyType
	validation: Validation
	dns: string /* a method, or AUTO */
	http: string
	methods: Record<string, string> /* chosen for single names */
	mode: 'automatic' | 'step-by-step'
}

export function namesError(names: string[]): string | null {
	if (!names.length) return t('Give at least one name.')
	if (names.length > 100) return t('At most 100 names in one certificate.')
	for (const n of names) {
		const p = nameProblem(n)
		if (p === 'letters') return t('“{name}” is not a domain name.', { name: n })
		if (p === 'long') return t('“{name}” is too long for a domain name.', { name: n })
		if (p === 'single') return t('“{name}” has no dot; public authorities refuse such names.', { name: n })
	}
	for (const n of names)
		if (!isWildcard(n) && names.includes(`*.${n.split('.').slice(1).join('.')}`)) return t('{name} is covered by {wildcard} already; authorities refuse both in one order.', { name: n, wildcard: `*.${n.split('.').slice(1).join('.')}` })
	return null
}

export function CreateOrder({ csrId, onClose, onCreated }: { csrId?: string; onClose: () => void; onCreated: (o: Order) => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const accounts = useValidAccounts()
	const csrs = useCsrs()
	const kinds = useKinds()
	const providers = useProviders()
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')) })

	const form = useForm<Values>({
		initialValues: { account_id: null, source: csrId ? 'csr' : 'names', csr_id: csrId ?? null, names: '', key_type: 'p256', validation: 'dns-01', dns: 'delegation', http: 'builtin', mode: 'automatic', methods: {}, ...noOptions },
		validate: {
			account_id: (v) => (v ? null : t('Choose the account that orders.')),
			csr_id: (v, all) => (all.source === 'csr' && !v ? t('Choose a CSR.') : null),
			names: (v, all) => (all.source === 'names' ? namesError(parseNames(v)) : null),
		},
	})
	const { values } = form
	const vendors = useVendors()
	const chosenCsr = csrs.data?.items.find((c) => c.id === values.csr_id)
	const names = values.source === 'csr' ? (chosenCsr?.names ?? []) : parseNames(values.names)
	const wildcard = names.find(isWildcard)
	const choices = methodChoices(values.validation, providers.data?.items ?? [], kinds.data?.items ?? [])
	const picked = values.validation === 'dns-01' ? values.dns : values.http
	const only = accounts.data?.items.length === 1 ? accounts.data.items[0] : undefined
	const account = accounts.data?.items.find((a) => a.id === values.account_id)
	const profiles = vendors.data?.items.find((v) => v.directory_url === account?.directory_url)?.reading?.facts?.profiles

	useEffect(() => {
		if (only && !values.account_id) form.setFieldValue('account_id', only.id)
	}, [only, values.account_id, form])
	useEffect(() => {
		if (wildcard && values.validation === 'http-01') form.setFieldValue('validation', 'dns-01')
	}, [wildcard, values.validation, form])

	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const now = v.source === 'csr' ? (chosenCsr?.names ?? []) : parseNames(v.names)
		const own = Object.fromEntries(Object.entries(v.methods).filter(([n]) => now.includes(n)))
		const body = {
			account_id: v.account_id ?? '',
			...(v.source === 'csr' ? { csr_id: v.csr_id ?? '' } : { names: parseNames(v.names), key_type: v.key_type }),
			validation: v.validation,
			...methodBody(v),
			...(Object.keys(own).length ? { methods: own } : {}),
			mode: v.mode,
			...optionsBody(v),
		}
		const order = await unwrap(api.POST('/orders', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['orders'] })
		notifications.show({ message: t('Order {n} is on its way.', { n: order.num }), color: 'green' })
		onCreated(order)
	})

	if (accounts.data && accounts.data.items.length === 0)
		return (
			<FormDialog opened title={t('Create ACME Order')} onClose={onClose} onSubmit={(e) => e?.preventDefault()} busy={false} error={null} submit={t('Create ACME Order')}>
				<Notice tone="warn" title={t('There is no valid account yet')}>
					{t('An order is made under an account at a certificate authority.')}
					<div style={{ marginTop: 8 }}>
						<LinkButton href="/accounts?register">{t('Register an account')}</LinkButton>
					</div>
				</Notice>
			</FormDialog>
		)
	const host = status.data?.dns_hostname
	return (
		<FormDialog opened title={t('Create ACME Order')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Create ACME Order')} size="xl">
			{accounts.isError && <Failure error={accounts.error} retry={() => void accounts.refetch()} />}
			<AccountField label={t('Vendor')} accounts={accounts.data?.items ?? []} {...form.getInputProps('account_id')} />
			{account?.staging && <Notice tone="info">{t('This vendor is for trials: browsers will not trust the certificate.')}</Notice>}

			<Radio.Group label={t('CSR')} {...form.getInputProps('source')}>
				<Stack gap="xs" mt="xs">
					<Radio value="names" label={t('Make key and CSR from the names')} description={t('The key stays with Certwright.')} />
					<Radio value="csr" label={t('Use a CSR that is here')} disabled={csrs.data?.items.length === 0} description={csrs.data?.items.length === 0 ? t('There is none yet; Certificates › CSR makes or takes one.') : undefined} />
				</Stack>
			</Radio.Group>
			{values.source === 'csr' && <Select label={t('Choose a CSR')} searchable data={(csrs.data?.items ?? []).map((c) => ({ value: c.id, label: `${c.num} · ${c.display_names.slice(0, 3).join(', ')}${c.display_names.length > 3 ? ' …' : ''} · ${keyTypeLabel(c.key_type)}` }))} {...form.getInputProps('csr_id')} />}
			<Textarea
				size="md"
				label={t('Domain Name')}
				autosize
				minRows={2}
				maxRows={8}
				spellCheck={false}
				readOnly={values.source === 'csr'}
				description={values.source === 'csr' ? t('Filled from the CSR.') : t('One or more, on lines or with commas. A wildcard is written *.example.com.')}
				placeholder={values.source === 'csr' ? undefined : 'www.example.com'}
				{...form.getInputProps('names')}
				{...(values.source === 'csr' ? { value: (chosenCsr?.display_names ?? []).join('\n') } : {})}
			/>
			{values.source === 'names' && <Select label={t('Key type')} data={[...KEY_TYPES]} {...form.getInputProps('key_type')} />}

			<ValidationField names={names} value={values.validation} onChange={(v) => form.setFieldValue('validation', v)} />

			{values.validation === 'dns-01' ? (
				<>
					<Select label={t('External DNS')} searchable allowDeselect={false} data={[{ value: 'delegation', label: t('Delegation: Certwright answers itself') }, ...choices.filter((c) => c.value !== 'delegation' && c.value !== 'manual'), { value: 'manual', label: t('Manual: you set the TXT record') }, { value: AUTO, label: t('As the validation rules say') }]} {...form.getInputProps('dns')} />
					{values.dns === 'delegation' && names.length > 0 && !namesError(names) && host && (
						<Notice tone="info" title={t('Set once for each name, in its DNS zone')}>
							<Stack gap={6} mt={6}>
								{challengeZones(names).slice(0, 6).map((z) => (
									<CopyLine key={z} value={`${z}. 3600 IN NS ${host.replace(/\.$/, '')}.`} what={t('the NS record of {zone}', { zone: z })} />
								))}
							</Stack>
							<Text size="sm" mt={6}>
								{t('Certwright then answers every challenge of these names by itself, also at each renewal.')}
							</Text>
						</Notice>
					)}
					{values.dns === 'manual' && <Notice tone="info">{t('The order will show the exact record to set and go on by itself when every authoritative server has it. At each renewal it asks again.')}</Notice>}
				</>
			) : (
				<Select label={t('Where the challenge is answered')} allowDeselect={false} data={[{ value: 'builtin', label: t('Certwright, on port 80') }, ...choices.filter((c) => c.value !== 'builtin' && c.value !== 'manual'), { value: 'manual', label: t('By hand: you publish the file') }, { value: AUTO, label: t('As the validation rules say') }]} description={t('Every name must lead to this server on port 80, or be redirected to it.')} {...form.getInputProps('http')} />
			)}

			{(names.length > 1 || picked === AUTO || Object.keys(values.methods).length > 0) && (values.source === 'csr' ? names.length > 0 : !namesError(names)) && (
				<>
					<MethodsPreview names={names} validation={values.validation} accountId={values.account_id} all={picked === AUTO ? null : picked} chosen={values.methods} choices={choices} onChoose={(name, method) => form.setFieldValue('methods', withMethod(values.methods, name, method))} />
				<Preflight key={names.join(' ')} names={names} accountId={values.account_id} validation={values.validation} method={picked === AUTO ? null : picked} />
				</>
			)}

			<Radio.Group label={t('Mode')} {...form.getInputProps('mode')}>
				<Group gap="lg" mt="xs" align="flex-start">
					<Radio value="automatic" label={t('Automatic')} description={t('Through to the certificate, without further clicks.')} />
					<Radio value="step-by-step" label={t('Step by step')} description={t('Stops when it is ready; you press Finalize Order.')} />
				</Group>
			</Radio.Group>
			<OptionFields form={form} profiles={profiles} />
		</FormDialog>
	)
}
