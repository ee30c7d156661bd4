// SPDX-License-Identifier: Apache-2.0
// Upload a CSR that a device made: pasted or as a file (PEM or DER), read and judged while it is pasted, before anything is stored.
import { Button, FileButton, Group, Loader, Text, Textarea } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, Idempotency, unwrap, type Csr } from '../api/client'
import { t } from '../i18n'
import { Failure } from '../parts/bits'
import { CSR_MAX, LintView, useLint, useVendorChoice, VendorChoice } from './csr-lint'
import { FormDialog, useSubmit } from '../parts/form'

/** The text of a file; DER (it begins with a SEQUENCE) becomes PEM. */
async function textOf(file: File): Promise<string> {
	const bytes = new Uint8Array(await file.arrayBuffer())
	if (bytes[0] !== 0x30) return new TextDecoder().decode(bytes)
	const base64 = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, '$&\n')
	return `-----BEGIN CERTIFICATE REQUEST-----\n${base64.trim()}\n-----END CERTIFICATE REQUEST-----\n`
}

export function UploadCsr({ onClose, onMade }: { onClose: () => void; onMade: (c: Csr) => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const choice = useVendorChoice()
	const form = useForm({
		initialValues: { pem: '' },
		validate: {
			pem: (v) => {
				if (!v.trim()) return t('Paste a CSR or choose its file.')
				if (/PRIVATE KEY/.test(v)) return t('This holds a private key. Give only the CSR; the key stays where it is.')
				return /-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(v) ? null : t('This is not a CSR in PEM; it begins with -----BEGIN CERTIFICATE REQUEST-----')
			},
		},
	})
	const seen = useLint(form.values.pem, choice.vendor, choice.profile)
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = { pem: v.pem }
		const made = await unwrap(api.POST('/csrs/upload', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['csrs'] })
		notifications.show({ message: t('The CSR is taken.'), color: 'green' })
		onMade(made)
	})
	const take = async (file: File | null) => {
		if (!file) return
		if (file.size > CSR_MAX / 2) form.setFieldError('pem', t('The file is too large for a CSR.'))
		else {
			form.setFieldValue('pem', await textOf(file))
			form.clearFieldError('pem')
		}
	}
	const title = choice.vendors.find((v) => v.key === choice.vendor)?.title ?? t('Any authority')
	return (
		<FormDialog opened title={t('Upload CSR')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Upload CSR')} size="xl">
			<Textarea size="md" label={t('CSR (PEM)')} autosize minRows={6} maxRows={12} spellCheck={false} classNames={{ input: 'mono' }} placeholder="-----BEGIN CERTIFICATE REQUEST-----" data-autofocus rightSection={seen.busy ? <Loader size="xs" /> : undefined} {...form.getInputProps('pem')} error={form.errors.pem ?? seen.wrong} />
			<Group>
				<FileButton onChange={(f) => void take(f)} accept=".csr,.pem,.req,.txt,.der,.p10" inputProps={{ 'aria-label': t('File with the CSR') }}>
					{(props) => (
						<Button variant="default" {...props}>
							{t('Choose a file')}
						</Button>
					)}
				</FileButton>
				<Text c="dimmed" size="sm">
					{t('The private key stays on the device that made it.')}
				</Text>
			</Group>
			<VendorChoice of={choice} label={t('Check against the rules of')} description={t('It can be used with any account; this only shows what this one would say.')} />
			{seen.failed && <Failure error={seen.failed} />}
			{seen.lint && <LintView lint={seen.lint} vendor={title} />}
		</FormDialog>
	)
}
