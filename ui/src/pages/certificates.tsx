// SPDX-License-Identifier: Apache-2.0
// Certificates: the inventory, one certificate, and what is handed out.
import { Button, Checkbox, Radio, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { api, exportCertificate, remove, unwrap, type Certificate, type CertificateDetail, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, CopyButton, Empty, Facts, Health, LinkButton, Names, Notice, Relative, Soft, Staging, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card, Loaded, Page } from '../parts/page'
import { DataTable, PlainTable } from '../parts/table'
import { BulkBar } from './bulk'
import { ImportDialog, NotesDialog, SearchBox } from './import'
import { keyTypeLabel } from './order-create'
import { RenewalCard, RenewButton, RevokeButton } from './renewals'

const SORTS = ['created', 'expires', 'name', 'issuer', 'owner', 'status', 'issued'] as const
type Sort = (typeof SORTS)[number]

/** What people call an issuer: the common name of its distinguished name, or all of that where it has none. */
function commonName(dn: string | null): string | null {
	return /(?:^|, ?)CN=((?:\\.|[^,\\])+)/.exec(dn ?? '')?.[1]?.replace(/\\(.)/g, '$1') ?? dn
}

export function CertificatesPage() {
	const may = useMay()
	const [search, setSearch] = useSearchParams()
	const [importing, setImporting] = useState(false)
	const [selected, setSelected] = useState<Certificate[]>([])
	const [shown, setShown] = useState<Certificate[]>([])
	const q = search.get('q') ?? ''
	const given = SORTS.find((x) => x === search.get('sort'))
	/* A search goes by these two, and without a word from here as it suggests. */
	const sort = q ? (given === 'expires' || given === 'created' ? given : undefined) : (given ?? 'created')
	const set = (next: { q?: string; sort?: Sort | undefined }) => {
		const now = { q, sort: given, ...next }
		setSearch({ ...(now.q ? { q: now.q } : {}), ...(now.sort && (now.q || now.sort !== 'created') ? { sort: now.sort } : {}) }, { replace: true })
	}
	const by = (word: Sort, direction: 'ascending' | 'descending' = 'ascending') =>
		q && word !== 'created' && word !== 'expires' ? {} : { sort: { direction, active: sort === word, choose: () => set({ sort: sort === word ? 'created' : word }) } }
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')) })
	const importButton = may('order') && (
		<Button variant="default" onClick={() => setImporting(true)}>
			{t('Import')}
		</Button>
	)
	return (
		<Page title={t('Certificates')} actions={may('order') && <>{importButton}<LinkButton href="/orders?create" icon={<Icon name="plus" size={16} />}>{t('Create ACME Order')}</LinkButton></>}>
			{importing && <ImportDialog onClose={() => setImporting(false)} />}
			<DataTable<Certificate>
				label={t('Certificates')}
				queryKey={['certificates', 'list', { sort, q }]}
				read={({ limit, cursor }) => unwrap(api.GET('/certificates', { params: { query: { ...(sort ? { sort } : {}), ...(q ? { q } : {}), limit, cursor } } }))}
				onPage={setShown}
				rowKey={(c) => c.id}
				filters={<><SearchBox q={q} onChange={(next) => set({ q: next })} /><BulkBar selected={selected} shown={shown} q={q} onChange={setSelected} />{!q && status.data && <Text size="sm" c="dimmed">{t('{n} in all', { n: status.data.certificates.all.toLocaleString() })}</Text>}</>}
				empty={q ? <Empty title={t('Nothing is found')}>{t('No certificate fits all terms of the search.')}</Empty> : <Empty title={t('No certificate yet')} action={may('order') && <LinkButton href="/orders?create">{t('Create ACME Order')}</LinkButton>}>{t('Every certificate that an order brings stands here, with its validity and its chain.')}</Empty>}
				columns={[
					...(may('order') || may('revoke')
						? [
								{
									title: t('Select'),
									hideTitle: true,
									render: (c: Certificate) => (
										<Checkbox
											size="sm"
											aria-label={t('Select certificate {n}', { n: c.num })}
											checked={selected.some((s) => s.id === c.id)}
											onChange={(e) => setSelected(e.currentTarget.checked ? [...selected, c] : selected.filter((s) => s.id !== c.id))}
										/>
									),
								},
							]
						: []),
					{ title: t('No.'), nowrap: true, ...by('created', 'descending'), render: (c) => <Link href={`/certificates/${c.num}`}>{c.num}</Link> },
					{ title: t('Names'), ...by('name'), render: (c) => <Link href={`/certificates/${c.num}`}><Names names={c.names} display={c.display_names} /></Link> },
					{ title: t('Status'), ...by('status'), render: (c) => <Health certificate={c} /> },
					{
						title: t('Expires'),
						...by('expires'),
						render: (c) =>
							c.not_after ? (
								<>
									<Time at={c.not_after} show="date" />
									<Text c="dimmed" size="xs">
										<Relative at={c.not_after} />
									</Text>
								</>
							) : (
								'–'
							),
					},
					{
						title: t('Vendor'),
						render: (c) => (
							<>
								{c.vendor_title ?? c.source} <Staging on={c.staging} />
							</>
						),
					},
					{ title: t('Issuer'), ...by('issuer'), render: (c) => <span title={c.issuer ?? undefined}><Soft text={commonName(c.issuer) ?? '–'} /></span> },
					{ title: t('Issued'), ...by('issued', 'descending'), render: (c) => (c.not_before ? <Time at={c.not_before} show="date" /> : '–') },
					{ title: t('Owner and tags'), ...by('owner'), render: (c) => <Soft text={[c.owner, ...c.tags].filter(Boolean).join(', ') || '–'} /> },
					{ title: t('Key'), nowrap: true, render: (c) => keyTypeLabel(c.key_type) },
					{ title: t('Private key'), render: (c) => (c.has_key ? t('kept here') : t('on the device')) },
				]}
			/>
		</Page>
	)
}

export function CertificatePage({ id }: { id: string }) {
	const query = useQuery({ queryKey: ['certificates', 'one', id], queryFn: () => unwrap(api.GET('/certificates/{id}', { params: { path: { id } } })) })
	return <Loaded query={query}>{(c) => <CertificateView certificate={c} />}</Loaded>
}

function CertificateView({ certificate: c }: { certificate: CertificateDetail }) {
	const may = useMay()
	const [, go] = useLocation()
	const [exporting, setExporting] = useState(false)
	const [deleting, setDeleting] = useState(false)
	const [noting, setNoting] = useState(false)
	const current = c.versions.find((v) => v.state === 'current')
	const refused = c.versions.find((v) => v.state === 'evidence' && v.reason)
	return (
		<Page
			title={c.display_names[0] ?? c.names[0] ?? t('Certificate')}
			crumbs={[{ text: t('Certificates'), href: '/certificates' }]}
			badges={
				<>
					<Health certificate={c} />
					<Staging on={c.staging} />
				</>
			}
			actions={
				<>
					{c.chain && (
						<Button leftSection={<Icon name="download" size={16} />} onClick={() => setExporting(true)}>
							{t('Export')}
						</Button>
					)}
					<RenewButton certificate={c} />
					<RevokeButton certificate={c} />
					{may('order') && (
						<Button variant="subtle" color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(true)}>
							{t('Delete')}
						</Button>
					)}
				</>
			}
		>
			{c.status === 'set-aside' && refused?.reason && <Because reason={refused.reason} tone="warn" />}
			<div className="split">
				<Stack gap="md">
					<Card title={t('Overview')}>
						<Facts
							rows={[
								[t('Names'), <Names key="n" names={c.names} display={c.display_names} most={100} />],
								[t('Valid from'), <Time key="f" at={c.not_before} />],
								[t('Expires'), c.not_after ? <span key="t"><Time at={c.not_after} /> (<Relative at={c.not_after} />)</span> : '–'],
								[t('Issuer'), c.issuer],
								[t('Serial'), c.serial ? <span key="s" className="mono break">{c.serial}</span> : '–'],
								...(current ? ([[t('SHA-256 fingerprint'), <span key="p" className="mono break">{current.fingerprint} <CopyButton value={current.fingerprint} what={t('the fingerprint')} /></span>]] as [string, React.ReactNode][]) : []),
								[t('SHA-1 fingerprint'), c.sha1 ? <span key="h" className="mono break">{c.sha1}</span> : '–'],
								[t('Subject'), c.subject ?? '–'],
								[t('Key'), keyTypeLabel(c.key_type)],
								[t('Private key'), c.has_key ? t('kept here, sealed') : t('on the device the CSR came from')],
							]}
						/>
					</Card>
					{c.chain && (
						<Card title={t('Chain')} actions={<CopyButton value={c.chain} what={t('the chain')} />}>
							<pre className="pem" tabIndex={0} aria-label={t('Chain as PEM')}>
								{c.chain}
							</pre>
						</Card>
					)}
				</Stack>
				<Stack gap="md">
					<RenewalCard certificate={c} />
					<Card title={t('Where it comes from')}>
						<Facts
							rows={[
								[t('Vendor'), c.vendor_title ?? c.source],
								[t('Validation Type'), c.validation || '–'],
								[t('Order'), c.order_id ? <Link key="o" href={`/orders/${c.order_id}`}>{t('Show the order')}</Link> : '–'],
								[t('Created At'), <Time key="c" at={c.created_at} />],
								[t('Id'), <span key="i" className="mono">{c.id}</span>],
							]}
						/>
					</Card>
					<Card
						title={t('Owner, tags and notes')}
						actions={
							may('order') && (
								<Button variant="default" size="xs" onClick={() => setNoting(true)}>
									{t('Change')}
								</Button>
							)
						}
					>
						<Facts
							rows={[
								[t('Owner'), c.owner ?? '–'],
								[t('Tags'), c.tags.join(', ') || '–'],
								[t('Notes'), c.notes ?? '–'],
								[t('Last handed to'), c.fetched_by ? <span key="h">{c.fetched_by}, <Time at={c.fetched_at} /></span> : '–'],
							]}
						/>
					</Card>
					<Card title={t('Versions')} pad={false}>
						<PlainTable
							label={t('Versions')}
							rows={c.versions}
							rowKey={(v) => v.id}
							columns={[
								{ title: t('Issued'), render: (v) => <Time at={v.not_before} show="date" /> },
								{ title: t('Expires'), render: (v) => <Time at={v.not_after} show="date" /> },
								{ title: t('State'), render: (v) => <Tone tone={v.state === 'current' ? 'good' : v.state === 'evidence' ? 'warn' : 'calm'}>{v.state}</Tone> },
								{ title: t('Order'), render: (v) => (v.order_id ? <Link href={`/orders/${v.order_id}`}>{t('show')}</Link> : '–') },
							]}
						/>
					</Card>
				</Stack>
			</div>
			{noting && <NotesDialog certificate={c} onClose={() => setNoting(false)} />}
			{exporting && <ExportDialog certificate={c} onClose={() => setExporting(false)} />}
			<Confirm
				opened={deleting}
				title={t('Delete certificate')}
				action={t('Delete certificate')}
				onClose={() => setDeleting(false)}
				run={async () => {
					await remove('/certificates/{id}', c.id)
					go('/certificates')
				}}
				done={t('The certificate is off the inventory.')}
				reads={['certificates', 'status']}
			>
				<ul style={{ paddingLeft: 20, margin: 0 }}>
					<li>{t('It leaves the inventory and is not renewed any more.')}</li>
					<li>{t('It is not revoked: where it is installed it works on until it expires.')}</li>
				</ul>
			</Confirm>
		</Page>
	)
}

type Format = Schemas['CertificateExport']['format']

function ExportDialog({ certificate, onClose }: { certificate: CertificateDetail; onClose: () => void }) {
	const may = useMay()
	const form = useForm({
		initialValues: { format: 'fullchain' as Format, with_key: false, reason: '' },
		validate: { reason: (v, all) => (all.with_key && !v.trim() ? t('Say why the key leaves; it is written into the audit.') : null) },
	})
	const keyFits = form.values.format === 'pem' || form.values.format === 'fullchain'
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const key = v.with_key && keyFits
		await exportCertificate(certificate, { format: v.format, with_key: key, ...(key ? { reason: v.reason.trim() } : {}) })
		notifications.show({ message: t('The file is handed to your browser.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Export certificate')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Export')}>
			<Radio.Group label={t('Format')} {...form.getInputProps('format')}>
				<Stack gap="sm" mt="xs">
					<Radio value="fullchain" label={t('Full chain (PEM)')} description={t('Certificate and intermediates: nginx, HAProxy, Apache 2.4, most programs.')} />
					<Radio value="pem" label={t('Certificate only (PEM)')} description={t('Where the intermediates are given in a file of their own.')} />
					<Radio value="chain" label={t('Intermediates only (PEM)')} description={t('The file that goes with “certificate only”.')} />
					<Radio value="der" label={t('Certificate only (DER)')} description={t('Binary: Java and Windows tools, appliances.')} />
				</Stack>
			</Radio.Group>
			{certificate.has_key && may('key-export') && (
				<>
					<Checkbox label={t('With its private key')} description={keyFits ? t('The file then holds the secret itself. Who, when and why is written into the audit.') : t('Only with full chain or certificate as PEM.')} disabled={!keyFits} {...form.getInputProps('with_key', { type: 'checkbox' })} />
					{form.values.with_key && keyFits && <TextInput label={t('Reason')} description={t('For example: moved to the new load balancer.')} {...form.getInputProps('reason')} />}
				</>
			)}
			{certificate.has_key && !may('key-export') && <Notice tone="info">{t('The private key is kept here. Exporting it is a right that no role has; an administrator grants it.')}</Notice>}
		</FormDialog>
	)
}
