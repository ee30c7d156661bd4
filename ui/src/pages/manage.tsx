// SPDX-License-Identifier: Apache-2.0
// Manage: a certificate made elsewhere is renewed from here from now on; one that is managed moves to another account or validation.
import { Button, Radio, Select, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type CertificateDetail, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Failure, Notice } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { MethodsPreview } from '../parts/methods'
import { methodChoices, useKinds, useProviders } from './external-dns'
import { KEY_TYPES, keyTypeLabel } from './order-create'
import { AccountField, AUTO, methodBody, useCsrs, useValidAccounts, ValidationField, withMethod, type Validation } from './order-fields'

export function ManageButton({ certificate: c }: { certificate: CertificateDetail }) {
	const may = useMay()
	const [open, setOpen] = useState(false)
	if (!may('order') || c.names.length === 0) return null
	return (
		<>
			<Button size="xs" variant={c.managed ? 'default' : 'filled'} onClick={() => setOpen(true)}>
				{c.managed ? t('Change account or validation') : t('Manage')}
			</Button>
			{open && <ManageDialog certificate={c} onClose={() => setOpen(false)} />}
		</>
	)
}

function ManageDialog({ certificate: c, onClose }: { certificate: CertificateDetail; onClose: () => void }) {
	const client = useQueryClient()
	const accounts = useValidAccounts()
	const csrs = useCsrs()
	const kinds = useKinds()
	const providers = useProviders()
	const same = (csrs.data?.items ?? []).filter((r) => [...r.names].sort().join(' ') === [...c.names].sort().join(' '))
	const form = useForm({
		initialValues: {
			account_id: c.account_id as string | null,
			validation: (c.validation === 'http-01' ? 'http-01' : 'dns-01') as Validation,
			dns: AUTO,
			http: AUTO,
			methods: {} as Record<string, string>,
			key: 'new' as 'new' | 'reuse',
			csr_id: null as string | null,
			key_type: (KEY_TYPES.some((k) => k.value === c.key_type) ? c.key_type : 'p256') as string,
		},
		validate: { account_id: (v) => (v ? null : t('Choose the account that orders.')), csr_id: (v, all) => (all.key === 'reuse' && !c.has_key && !v ? t('Choose a CSR that was made with its key.') : null) },
	})
	const { values } = form
	const choices = methodChoices(values.validation, providers.data?.items ?? [], kinds.data?.items ?? [])
	const picked = values.validation === 'dns-01' ? values.dns : values.http
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body: Schemas['ManageCreate'] = {
			account_id: v.account_id ?? '',
			validation: v.validation,
			...methodBody(v),
			...(Object.keys(v.methods).length ? { methods: v.methods } : {}),
			key: v.key,
			...(v.key === 'reuse' && v.csr_id ? { csr_id: v.csr_id } : {}),
			...(v.key === 'new' ? { key_type: v.key_type as NonNullable<Schemas['ManageCreate']['key_type']> } : {}),
		}
		await unwrap(api.POST('/certificates/{id}/manage', { params: { path: { id: c.id } }, body }))
		for (const key of ['certificates', 'renewals', 'notices', 'csrs', 'status']) void client.invalidateQueries({ queryKey: [key] })
		notifications.show({ message: t('It is renewed from here from now on.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={c.managed ? t('Change account or validation') : t('Manage certificate')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={c.managed ? t('Change') : t('Manage')} size="xl">
			<Text>{t('It is renewed by itself when its time comes, for the same names. What is in use stays until the new one is there.')}</Text>
			{accounts.isError && <Failure error={accounts.error} retry={() => void accounts.refetch()} />}
			{accounts.data?.items.length === 0 && <Notice tone="warn">{t('There is no valid account yet: register one first.')}</Notice>}
			<AccountField label={t('Account that renews it')} accounts={accounts.data?.items ?? []} {...form.getInputProps('account_id')} />
			<ValidationField names={c.names} value={values.validation} onChange={(v) => form.setValues({ validation: v, methods: {} })} />
			{values.validation === 'dns-01' ? (
				<Select label={t('External DNS')} allowDeselect={false} data={[{ value: AUTO, label: t('As the validation rules say') }, ...choices]} {...form.getInputProps('dns')} />
			) : (
				<Select label={t('Where the challenge is answered')} allowDeselect={false} data={[{ value: AUTO, label: t('As the validation rules say') }, ...choices]} {...form.getInputProps('http')} />
			)}
			<MethodsPreview names={c.names} validation={values.validation} accountId={values.account_id} all={picked === AUTO ? null : picked} chosen={values.methods} choices={choices} onChoose={(name, method) => form.setFieldValue('methods', withMethod(values.methods, name, method))} />
			<Radio.Group label={t('Key')} {...form.getInputProps('key')}>
				<Stack gap="xs" mt="xs">
					<Radio value="new" label={t('A new key at each renewal')} description={c.has_key ? t('Made and kept here.') : t('Made and kept here: certificate and key are to be installed after each renewal.')} />
					<Radio value="reuse" label={t('The key it has')} disabled={!c.has_key && same.length === 0} description={c.has_key ? t('It is kept here.') : same.length === 0 ? t('It is not kept here, and there is no CSR for these names: upload one that was made with it.') : t('It is elsewhere: a CSR made with it is used again.')} />
				</Stack>
			</Radio.Group>
			{values.key === 'reuse' && !c.has_key && <Select label={t('Choose a CSR')} data={same.map((r) => ({ value: r.id, label: `${r.num} · ${keyTypeLabel(r.key_type)}` }))} {...form.getInputProps('csr_id')} />}
			{values.key === 'new' && <Select label={t('Key type')} allowDeselect={false} data={[...KEY_TYPES]} {...form.getInputProps('key_type')} />}
		</FormDialog>
	)
}
