// SPDX-License-Identifier: Apache-2.0
// Making an API token: one with a role, or one that fetches a single certificate and can do nothing else.
import { Checkbox, NumberInput, SegmentedControl, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { api, unwrap, type Token } from '../api/client'
import { useSession } from '../api/session'
import { t } from '../i18n'
import { CopyLine, Notice } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { Rights, roleOptions, type Right } from '../parts/rights'

/** What a token may, in a cell of the list. */
export function TokenRole({ token }: { token: Token }) {
	if (token.role !== 'pull') return <>{token.rights.length ? `${token.role}, ${token.rights.join(', ')}` : token.role}</>
	return (
		<Stack gap={0}>
			<span>{token.rights.length ? t('fetches one certificate, with its key') : t('fetches one certificate')}</span>
			{token.certificate_name ? (
				<Link href={`/certificates/${token.certificate_id}`} className="break">
					{token.certificate_name}
				</Link>
			) : (
				<Text c="dimmed" size="sm">
					{t('which is deleted')}
				</Text>
			)}
			{token.reason && (
				<Text c="dimmed" size="sm" className="break">
					{token.reason}
				</Text>
			)}
		</Stack>
	)
}

/** The certificates a search finds, as choices; three characters search, fewer show the newest. */
function useCertificates(text: string) {
	const [search] = useDebouncedValue(text.trim(), 250)
	const q = search.length >= 3 ? search : undefined
	const found = useQuery({ queryKey: ['certificates', 'choices', q ?? ''], queryFn: () => unwrap(api.GET('/certificates', { params: { query: { limit: 20, ...(q ? { q } : {}) } } })) })
	return (found.data?.items ?? []).map((c) => ({ value: c.id, label: `${c.display_names[0] ?? ''} (${c.num})` }))
}

export function CreateToken({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const { user } = useSession()
	const [made, setMade] = useState<string | null>(null)
	const [search, setSearch] = useState('')
	const choices = useCertificates(search)
	const form = useForm({
		initialValues: { name: '', kind: 'role', role: user.role, rights: [] as Right[], certificate: null as string | null, with_key: false, reason: '', sources: [] as string[], days: 90 as number | string },
		validate: {
			name: (v) => (v.trim() ? null : t('Give a name, such as what uses it.')),
			certificate: (v, all) => (all.kind === 'role' || v ? null : t('Choose the certificate.')),
			reason: (v, all) => (all.kind === 'role' || !all.with_key || v.trim() ? null : t('Say why the key leaves.')),
			days: (v) => (Number(v) >= 1 && Number(v) <= 3650 ? null : t('Between 1 and 3650 days.')),
		},
	})
	const pulls = form.values.kind === 'pull'
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const both = { name: v.name.trim(), sources: v.sources, days: Number(v.days) }
		const body = v.kind === 'pull' ? { ...both, certificate: v.certificate ?? '', ...(v.with_key ? { rights: ['key-export'], reason: v.reason.trim() } : {}) } : { ...both, role: v.role, rights: v.rights }
		const got = await unwrap(api.POST('/tokens', { body }))
		void client.invalidateQueries({ queryKey: ['tokens'] })
		setMade(got.token)
	})
	if (made)
		return (
			<FormDialog
				opened
				title={t('Your token')}
				onClose={onClose}
				onSubmit={(e) => {
					e?.preventDefault()
					onClose()
				}}
				busy={false}
				error={null}
				submit={t('I have it')}
			>
				<Notice tone="warn" title={t('It is shown only now.')}>
					{t('Certwright keeps only its hash. If it is lost, revoke it and make another.')}
				</Notice>
				<CopyLine value={made} what={t('the token')} />
				{pulls && form.values.certificate && <CopyLine value={`${location.origin}/download/${form.values.certificate}/${form.values.with_key ? 'combined' : 'fullchain'}`} what={t('the address it fetches')} />}
			</FormDialog>
		)
	return (
		<FormDialog opened title={t('Create Token')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Create Token')}>
			<TextInput label={t('Name')} placeholder={t('deploy pipeline')} data-autofocus {...form.getInputProps('name')} />
			<SegmentedControl aria-label={t('What it may')} data={[{ value: 'role', label: t('Acts with a role') }, { value: 'pull', label: t('Fetches one certificate') }]} {...form.getInputProps('kind')} />
			{pulls ? (
				<>
					<Select label={t('Certificate')} description={t('The token fetches this one and can do nothing else.')} searchable data={choices} searchValue={search} onSearchChange={setSearch} filter={({ options }) => options} nothingFoundMessage={t('No certificate is called so.')} {...form.getInputProps('certificate')} />
					{user.rights.includes('key-export') && <Checkbox label={t('With its private key')} description={t('Needs your right key-export, now and at each fetch.')} {...form.getInputProps('with_key', { type: 'checkbox' })} />}
					{form.values.with_key && <TextInput label={t('Reason')} description={t('Why the key leaves; it is in the audit of each fetch.')} {...form.getInputProps('reason')} />}
				</>
			) : (
				<>
					<Select label={t('Role')} data={roleOptions(user.role)} description={t('At most your own.')} {...form.getInputProps('role')} />
					{user.rights.length > 0 && <Rights of={user.rights} {...form.getInputProps('rights')} />}
				</>
			)}
			<TagsInput label={t('Only from')} description={t('Addresses or networks, such as 192.0.2.0/24; empty means from anywhere.')} splitChars={[',', ' ']} {...form.getInputProps('sources')} />
			<NumberInput size="md" label={t('Days until it expires')} min={1} max={3650} clampBehavior="none" {...form.getInputProps('days')} />
		</FormDialog>
	)
}
