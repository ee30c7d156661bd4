// SPDX-License-Identifier: Apache-2.0
// Certificates › CSR: list, create, upload, one CSR decoded.
import { Button, Group, Select, SimpleGrid, Stack, Stepper, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { api, finish, Idempotency, remove, saveText, unwrap, type Csr } from '../api/client'
import { useMay } from '../api/session'
import { plural, t } from '../i18n'
import { CopyButton, Empty, Facts, LinkButton, Names, Soft, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { parseNames } from '../parts/names'
import { Card, Loaded, Page } from '../parts/page'
import { Choose, DataTable, FindText, NoneFits, useFilters, useNewestFirst } from '../parts/table'
import { StoredLint } from './csr-lint'
import { UploadCsr } from './csr-upload'
import { KEY_TYPES, keyTypeLabel, namesError, type KeyType } from './order-create'

function Source({ csr }: { csr: Csr }) {
	if (csr.source === 'uploaded') return <>{t('uploaded')}</>
	if (csr.source === 'order' && csr.made_for_order) return <>{t('made for an order')}</>
	return <>{t('created here')}</>
}

export function CsrsPage() {
	const may = useMay()
	const [, go] = useLocation()
	const [search, setSearch] = useSearchParams()
	const dialog = search.get('create') !== null ? 'create' : search.get('upload') !== null ? 'upload' : null
	const open = (d: 'create' | 'upload' | null) => setSearch(d ? { [d]: '' } : {}, { replace: true })
	const [{ name, key }, narrow] = useFilters('name', 'key')
	const { sort, head } = useNewestFirst()
	const query = { ...(name ? { name } : {}), ...(key ? { key_type: key } : {}), ...(sort ? { sort } : {}) }
	const buttons = may('order') && (
		<Group gap="xs" justify="center">
			<Button variant="default" onClick={() => open('upload')}>
				{t('Upload CSR')}
			</Button>
			<Button leftSection={<Icon name="plus" size={16} />} onClick={() => open('create')}>
				{t('Create CSR')}
			</Button>
		</Group>
	)
	return (
		<Page title={t('CSR')} crumbs={[{ text: t('Certificates'), href: '/certificates' }]} actions={buttons}>
			<DataTable<Csr>
				label={t('CSR')}
				queryKey={['csrs', 'list', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/csrs', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(c) => c.id}
				filters={
					<>
						<FindText value={name} label={t('Search the CSRs')} hint={t('Part of a name')} onChange={(next) => narrow({ name: next })} />
						<Choose label={t('Key')} all={t('Every key')} value={key} onChange={(next) => narrow({ key: next })} data={KEY_TYPES} />
					</>
				}
				empty={
					name || key ? <NoneFits /> : <Empty title={t('No CSR yet')} action={buttons}>
						{t('A certificate signing request names what a certificate is for. Create one with the key kept here, or upload one that a device made.')}
					</Empty>
				}
				columns={[
					{ title: t('No.'), nowrap: true, render: (c) => <Link href={`/csrs/${c.num}`}>{c.num}</Link> },
					{ title: t('Names'), render: (c) => <Link href={`/csrs/${c.num}`}><Names names={c.names} display={c.display_names} /></Link> },
					{ title: t('Subject'), render: (c) => <Soft text={c.subject || '–'} /> },
					{ title: t('Key'), nowrap: true, render: (c) => keyTypeLabel(c.key_type) },
					{ title: t('Private key'), render: (c) => (c.has_key ? t('kept here') : t('on the device')) },
					{ title: t('Source'), render: (c) => <Source csr={c} /> },
					{ title: t('Created At'), sort: head, render: (c) => <Time at={c.created_at} /> },
				]}
			/>
			{dialog === 'create' && may('order') && <CreateCsr onClose={() => open(null)} onMade={(c) => go(`/csrs/${c.num}`)} />}
			{dialog === 'upload' && may('order') && <UploadCsr onClose={() => open(null)} onMade={(c) => go(`/csrs/${c.num}`)} />}
		</Page>
	)
}

interface Values extends Record<string, unknown> {
	names: string
	key_type: KeyType
	organization: string
	organizational_unit: string
	country: string
	state: string
	locality: string
}

function CreateCsr({ onClose, onMade }: { onClose: () => void; onMade: (c: Csr) => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const [step, setStep] = useState(0)
	const form = useForm<Values>({
		initialValues: { names: '', key_type: 'p256', organization: '', organizational_unit: '', country: '', state: '', locality: '' },
		validate: {
			names: (v) => namesError(parseNames(v)),
			country: (v) => (v.trim() && !/^[A-Za-z]{2}$/.test(v.trim()) ? t('Two letters, as in US or TR.') : null),
		},
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const optional = (k: keyof Values) => {
			const s = String(v[k]).trim()
			return s ? { [k]: k === 'country' ? s.toUpperCase() : s } : {}
		}
		const body = { names: parseNames(v.names), key_type: v.key_type, ...optional('organization'), ...optional('organizational_unit'), ...optional('country'), ...optional('state'), ...optional('locality') }
		const made = await finish(await api.POST('/csrs', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }), (job) => unwrap(api.GET('/csrs/{id}', { params: { path: { id: job.subject_id ?? '' } } })))
		void client.invalidateQueries({ queryKey: ['csrs'] })
		notifications.show({ message: t('The CSR is made.'), color: 'green' })
		onMade(made as Csr)
	})
	const names = parseNames(form.values.names)
	const next = () => {
		if (step === 0 && form.validateField('names').hasError) return
		setStep(step + 1)
	}
	const last = step === 2
	const bad = Object.keys(form.errors)
	return (
		<FormDialog
			opened
			title={t('Create CSR')}
			onClose={onClose}
			onSubmit={Object.assign(
				(e?: React.FormEvent<HTMLFormElement>) => {
					e?.preventDefault()
					if (last || bad.length) onSubmit(e)
					else next()
				},
				{ take: onSubmit.take },
			)}
			busy={busy}
			error={error}
			submit={last ? t('Create CSR') : t('Next')}
			size="xl"
		>
			<Stepper active={step} onStepClick={(s) => s < step && setStep(s)} size="sm" iconSize={28}>
				<Stepper.Step label={t('Names and key')}>
					<Stack gap="md" pt="sm">
						<Textarea size="md" label={t('Names')} autosize minRows={3} maxRows={10} spellCheck={false} data-autofocus description={names.length > 0 ? plural(names.length, '{n} name', '{n} names') : t('One or more, on lines or with commas; paste what you have. A wildcard is written *.example.com.')} placeholder="www.example.com" {...form.getInputProps('names')} />
						<Select label={t('Key type')} data={[...KEY_TYPES]} description={t('ECDSA P-256 is small and fast; RSA 2048 suits old devices.')} {...form.getInputProps('key_type')} />
					</Stack>
				</Stepper.Step>
				<Stepper.Step label={t('Organisation')}>
					<Stack gap="md" pt="sm">
						<Text c="dimmed">{t('All may stay empty; ACME authorities for domain-validated certificates leave these out.')}</Text>
						<SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
							<TextInput label={t('Organisation')} maxLength={64} {...form.getInputProps('organization')} />
							<TextInput label={t('Organisational unit')} maxLength={64} {...form.getInputProps('organizational_unit')} />
							<TextInput label={t('Country')} maxLength={2} placeholder="US" {...form.getInputProps('country')} />
							<TextInput label={t('State or province')} maxLength={128} {...form.getInputProps('state')} />
							<TextInput label={t('Locality')} maxLength={128} {...form.getInputProps('locality')} />
						</SimpleGrid>
					</Stack>
				</Stepper.Step>
				<Stepper.Step label={t('Check')}>
					<Stack gap="md" pt="sm">
						<Facts
							rows={[
								[t('Names'), <Names key="n" names={names} most={100} />],
								[t('Key type'), keyTypeLabel(form.values.key_type)],
								[t('Organisation'), [form.values.organization, form.values.organizational_unit, form.values.locality, form.values.state, form.values.country.toUpperCase()].filter((s) => s.trim()).join(', ') || '–'],
								[t('Private key'), t('made and kept by Certwright, sealed')],
							]}
						/>
						{bad.map((k) => (
							<Text key={k} c="red">
								{String(form.errors[k])}
							</Text>
						))}
					</Stack>
				</Stepper.Step>
			</Stepper>
		</FormDialog>
	)
}

export function CsrPage({ id }: { id: string }) {
	const query = useQuery({ queryKey: ['csrs', 'one', id], queryFn: () => unwrap(api.GET('/csrs/{id}', { params: { path: { id } } })) })
	return <Loaded query={query}>{(c) => <CsrView csr={c} />}</Loaded>
}

function CsrView({ csr }: { csr: Csr }) {
	const may = useMay()
	const [, go] = useLocation()
	const [deleting, setDeleting] = useState(false)
	return (
		<Page
			title={t('CSR {n}', { n: csr.num })}
			heading={
				<>
					{t('CSR {n}', { n: csr.num })}
					<Text span c="dimmed" fw={400} inherit>
						{' '}
						{csr.display_names[0]}
					</Text>
				</>
			}
			crumbs={[{ text: t('Certificates'), href: '/certificates' }, { text: t('CSR'), href: '/csrs' }]}
			badges={<Tone tone="calm" plain>{csr.has_key ? t('key kept here') : t('key on the device')}</Tone>}
			actions={
				<>
					{may('order') && <LinkButton href={`/orders?create&csr=${csr.id}`} icon={<Icon name="order" size={16} />}>{t('Create ACME Order')}</LinkButton>}
					<Button variant="default" leftSection={<Icon name="download" size={16} />} onClick={() => saveText(csr.pem, `csr-${csr.num}.csr`)}>
						{t('Download')}
					</Button>
					{may('order') && (
						<Button variant="subtle" color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(true)}>
							{t('Delete')}
						</Button>
					)}
				</>
			}
		>
			<div className="split">
				<Card title={t('What it asks for')}>
					<Facts
						rows={[
							[t('Names'), <Names key="n" names={csr.names} display={csr.display_names} most={100} />],
							[t('Subject'), csr.subject || '–'],
							[t('Key'), keyTypeLabel(csr.key_type)],
							[t('Private key'), csr.has_key ? t('kept here, sealed') : t('on the device that made it')],
							[t('Source'), csr.made_for_order ? <Link key="o" href={`/orders/${csr.made_for_order}`}>{t('made for an order')}</Link> : <Source key="s" csr={csr} />],
							[t('Created At'), <Time key="c" at={csr.created_at} />],
							[t('Id'), <span key="i" className="mono">{csr.id}</span>],
						]}
					/>
				</Card>
				<Card title={t('PEM')} actions={<CopyButton value={csr.pem} what={t('the CSR')} />}>
					<pre className="pem" tabIndex={0} aria-label={t('CSR as PEM')}>
						{csr.pem}
					</pre>
				</Card>
			</div>
			<StoredLint id={csr.id} />
			<Confirm
				opened={deleting}
				title={t('Delete CSR {n}', { n: csr.num })}
				action={t('Delete CSR')}
				onClose={() => setDeleting(false)}
				run={async () => {
					await remove('/csrs/{id}', csr.id)
					go('/csrs')
				}}
				done={t('The CSR is deleted.')}
				reads={['csrs']}
			>
				{csr.has_key ? t('Its private key is deleted with it, unless a certificate uses that key.') : t('The private key on its device is not touched.')} {t('A CSR that a live order uses cannot be deleted.')}
			</Confirm>
		</Page>
	)
}
