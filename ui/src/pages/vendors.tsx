// SPDX-License-Identifier: Apache-2.0
// Administration › Vendors: what is known of each authority, and what its directory said last.
import { ActionIcon, Anchor, Button, Drawer, Group, List, Menu, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ApiError, problemOf, unwrap, type DirectoryReading, type Vendor } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, Facts, Notice, Soft, Staging, Time, Tone } from '../parts/bits'
import { FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card, Loaded, Page } from '../parts/page'
import { PlainTable } from '../parts/table'
import { readDirectory } from './register'

export const CUSTOM = 'custom'

export function useVendors() {
	return useQuery({ queryKey: ['vendors'], queryFn: () => unwrap(api.GET('/vendors')), staleTime: 10 * 60_000 })
}

/** Starts the reading of many directories and waits until all of them have been read, or have failed. */
async function checkMany(all: boolean) {
	const { jobs } = await unwrap(api.POST('/vendors/check', { body: { all } }))
	for (const id of jobs)
		for (;;) {
			const job = await unwrap(api.GET('/jobs/{id}', { params: { path: { id } } }))
			if (job.state === 'done' || job.state === 'failed') break
			await new Promise((r) => setTimeout(r, 500))
		}
}

export function VendorsPage() {
	const vendors = useVendors()
	const may = useMay()
	const [shown, setShown] = useState<Vendor | null>(null)
	const [editing, setEditing] = useState<Vendor | null>(null)
	const { act, busy } = useAct()

	return (
		<Page
			title={t('Vendors')}
			crumbs={[{ text: t('Administration') }]}
			actions={
				may('account') && (
					<Group gap="xs">
						<Button variant="default" loading={busy === 'all'} onClick={() => void act('all', () => checkMany(true), t('All directories were read.'), ['vendors'])}>
							{t('Check all')}
						</Button>
						<Button leftSection={<Icon name="refresh" size={16} />} loading={busy === 'used'} onClick={() => void act('used', () => checkMany(false), t('The directories of your accounts were read.'), ['vendors'])}>
							{t('Check vendors in use')}
						</Button>
					</Group>
				)
			}
		>
			<Loaded query={vendors}>
				{(list) => (
					<Card pad={false} label={t('Vendors')}>
						<PlainTable<Vendor>
							label={t('Vendors')}
							rows={list.items}
							rowKey={(v) => `${v.key} ${v.directory_url}`}
							columns={[
								{
									title: t('Vendor'),
									render: (v) => (
										<>
											<Anchor component="button" type="button" onClick={() => setShown(v)} ta="left">
												{v.title}
											</Anchor>{' '}
											<Staging on={v.staging} />
											{v.discontinued && (
												<Text size="sm" c="dimmed">
													{v.discontinued}
												</Text>
											)}
										</>
									),
								},
								{
									title: t('Directory URL'),
									render: (v) => (
										<>
											<span className="mono">
												<Soft text={v.directory_url} />
											</span>
											{v.overridden && (
												<Text size="sm" c="dimmed">
													{t('set here; built in is another')}
												</Text>
											)}
										</>
									),
								},
								{ title: t('EAB'), render: (v) => (v.key === CUSTOM ? t('as it says') : v.eab_required ? t('required') : t('not needed')) },
								{ title: t('Wildcards'), render: (v) => (v.wildcards ? t('yes') : t('no')) },
								{ title: t('Price'), render: (v) => (v.costs_money ? <Tone tone="warn">{t('paid')}</Tone> : v.key === CUSTOM ? '–' : t('free')) },
								{ title: t('Accounts'), render: (v) => v.accounts },
								{ title: t('Last read'), render: (v) => <LastRead reading={v.reading} /> },
								{ title: t('Status'), render: (v) => (v.discontinued ? <Tone tone="calm">{t('discontinued')}</Tone> : <Tone tone="good">{t('available')}</Tone>) },
								{
									title: t('Actions'),
									hideTitle: true,
									end: true,
									width: 60,
									render: (v) => (
										<Menu position="bottom-end" withinPortal>
											<Menu.Target>
												<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of {name}', { name: v.title })}>
													<Icon name="more" />
												</ActionIcon>
											</Menu.Target>
											<Menu.Dropdown>
												<Menu.Item leftSection={<Icon name="info" size={16} />} onClick={() => setShown(v)}>
													{t('All that is known')}
												</Menu.Item>
												{may('account') && (
													<Menu.Item leftSection={<Icon name="refresh" size={16} />} onClick={() => void act('one', () => readDirectory({ directory_url: v.directory_url }), t('The directory was read.'), ['vendors'])}>
														{t('Read its directory now')}
													</Menu.Item>
												)}
												{may('account') && v.key !== CUSTOM && v.builtin_url && <Menu.Item onClick={() => setEditing(v)}>{t('Use another URL')}</Menu.Item>}
											</Menu.Dropdown>
										</Menu>
									),
								},
							]}
						/>
					</Card>
				)}
			</Loaded>
			<Text c="dimmed" size="sm">
				{t('Any other ACME directory is used by its URL when an account is registered. Directories of your accounts are read once a week by themselves.')}
			</Text>
			<Drawer opened={shown !== null} onClose={() => setShown(null)} position="right" size="lg" title={shown?.title}>
				{shown && <VendorFacts v={shown} />}
			</Drawer>
			{editing && <OtherUrl vendor={editing} onClose={() => setEditing(null)} />}
		</Page>
	)
}

function LastRead({ reading }: { reading: DirectoryReading | null }) {
	if (!reading) return <Text c="dimmed">{t('never')}</Text>
	return (
		<>
			{reading.reason ? <Tone tone="bad" title={reading.reason.detail ?? reading.reason.title}>{t('not reached')}</Tone> : <Time at={reading.facts_at} show="date" />}
			{reading.moved.length > 0 && (
				<Text size="sm" c="dimmed">
					{t('moved: {what}', { what: reading.moved.length === 1 ? (reading.moved[0] ?? '') : t('{n} things', { n: reading.moved.length }) })}
				</Text>
			)}
		</>
	)
}

function Link({ url }: { url: string | null }) {
	return url ? (
		<Anchor href={url} target="_blank" rel="noreferrer noopener" className="break">
			{url}
		</Anchor>
	) : (
		<>–</>
	)
}

export function VendorFacts({ v }: { v: Vendor }) {
	return (
		<Stack gap="md">
			{v.discontinued && <Notice tone="warn">{v.discontinued}</Notice>}
			{v.costs_money && (
				<Notice tone="warn" title={t('Certificates of this vendor cost money')}>
					{v.price}
				</Notice>
			)}
			<Facts
				rows={[
					[t('Directory URL'), <span className="mono break">{v.directory_url}</span>],
					[t('E-mail'), v.contact_required ? t('required') : t('not needed')],
					[t('External Account Binding'), v.eab_required ? t('required') : t('not needed')],
					[t('Wildcards'), v.wildcards ? t('yes') : t('no')],
					[t('Key types'), v.key_types.length ? v.key_types.join(', ') : t('not known')],
					[t('Names per certificate'), v.names_max],
					[t('Lifetime'), v.lifetime],
					[t('Renewal information'), v.ari === 'yes' ? t('yes') : v.ari === 'no' ? t('no') : t('not known')],
					[t('Rate limits'), v.limits],
					[t('Terms of service'), <Link url={v.reading?.facts?.tos_url ?? v.terms_url} />],
					[t('Documentation'), <Link url={v.docs_url} />],
				]}
			/>
			<Texts title={t('Where to find the external account values')} items={v.eab_steps} ordered />
			{v.eab_life && <Text size="sm">{v.eab_life}</Text>}
			<Texts title={t('Regions and products')} items={v.regions.map((r) => `${r.title}: ${r.directory_url}${r.note ? ` (${r.note})` : ''}`)} />
			<Texts title={t('Profiles')} items={v.profiles.map((p) => `${p.name}: ${p.note ?? ''}`)} />
			<Texts title={t('What is different there')} items={v.quirks.map((q) => q.help)} />
			<Texts title={t('Notes')} items={v.notes} />
			{v.reading && <Reading r={v.reading} />}
		</Stack>
	)
}

function Texts({ title, items, ordered }: { title: string; items: string[]; ordered?: boolean }) {
	if (!items.length) return null
	return (
		<div>
			<Text fw={600}>{title}</Text>
			<List type={ordered ? 'ordered' : 'unordered'} size="sm" mt={4} className="break">
				{items.map((s, i) => (
					<List.Item key={i}>{s}</List.Item>
				))}
			</List>
		</div>
	)
}

function Reading({ r }: { r: DirectoryReading }) {
	return (
		<div>
			<Text fw={600}>{t('What its directory says')}</Text>
			{r.reason && <Because reason={r.reason} />}
			<Facts
				rows={[
					[t('Read at'), <Time at={r.facts_at} />],
					[t('Profiles'), r.facts?.profiles.length ? r.facts.profiles.map((p) => p.name).join(', ') : t('none')],
					[t('External Account Binding'), r.facts ? (r.facts.eab_required ? t('required') : t('not needed')) : '–'],
					[t('CAA names'), r.facts?.caa_identities.join(', ') || '–'],
				]}
			/>
			{r.moved.length > 0 && (
				<Notice tone="info" title={t('Moved since the reading before')}>
					<List size="sm" className="break">
						{r.moved.map((m, i) => (
							<List.Item key={i}>{m}</List.Item>
						))}
					</List>
				</Notice>
			)}
		</div>
	)
}

function OtherUrl({ vendor, onClose }: { vendor: Vendor; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm<{ directory_url: string }>({ initialValues: { directory_url: vendor.overridden ? vendor.directory_url : '' } })
	const { busy, error, onSubmit } = useSubmit(form as never, async () => {
		const params = { path: { id: vendor.key } }
		const got = await api.GET('/vendors/{id}', { params })
		if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
		await unwrap(api.PATCH('/vendors/{id}', { params: { ...params, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body: { directory_url: form.values.directory_url.trim() } }))
		void client.invalidateQueries({ queryKey: ['vendors'] })
		notifications.show({ message: t('New accounts of {vendor} use this URL.', { vendor: vendor.title }), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Directory URL of {vendor}', { vendor: vendor.title })} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Directory URL')} placeholder={vendor.builtin_url ?? ''} description={t('For new accounts; those that exist keep theirs. Leave it empty for the built-in one.')} classNames={{ input: 'mono' }} spellCheck={false} {...form.getInputProps('directory_url')} />
		</FormDialog>
	)
}
