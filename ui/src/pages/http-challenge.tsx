// SPDX-License-Identifier: Apache-2.0
// Integrations › HTTP challenge: targets (a BIG-IP, a web root), virtual servers of a BIG-IP, and ready texts for redirecting and forwarding.
import { ActionIcon, Button, Group, List, Menu, SegmentedControl, SimpleGrid, Stack, Table, Tabs, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { api, finish, remove, unwrap, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, CopyButton, Empty, Failure, Notice, Soft, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card, Page } from '../parts/page'
import { DataTable, NoneFits } from '../parts/table'
import { ProviderForm, ProviderStatus, useKinds, useProviderList, type Provider } from './external-dns'

interface Server {
	name: string
	address: string
	port: number
	http_profile: string | null
	enabled: boolean
	attached: boolean
	unfit: string | null
	rules: string[]
	rules_attached: string[]
	rules_detached: string[]
}
interface Remote {
	address?: string
	host?: string | null
	version?: string | null
	state?: string | null
	sync?: string | null
	directory?: string
	servers?: Server[]
}
const remoteOf = (p: Provider) => (p.test as { remote?: Remote | null } | null)?.remote ?? null

async function look(p: Provider, write: boolean): Promise<Provider> {
	const answer = await api.POST('/providers/{id}/test', { params: { path: { id: p.id } }, body: { write } })
	return finish<Provider>(answer, () => unwrap(api.GET('/providers/{id}', { params: { path: { id: p.id } } })))
}

export function HttpChallengePage({ tab }: { tab: 'targets' | 'texts' }) {
	const may = useMay()
	const [, go] = useLocation()
	const [adding, setAdding] = useState(false)
	return (
		<Page
			title={t('HTTP challenge')}
			crumbs={[{ text: t('Integrations') }]}
			actions={
				tab === 'targets' &&
				may('admin') && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
						{t('Add target')}
					</Button>
				)
			}
		>
			<Tabs value={tab} onChange={(v) => go(v === 'targets' ? '/http-challenge' : '/http-challenge/texts')} keepMounted={false}>
				<Tabs.List>
					<Tabs.Tab value="targets">{t('Targets')}</Tabs.Tab>
					<Tabs.Tab value="texts">{t('Redirect and forward')}</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="targets" pt="md">
					<Targets adding={adding} add={() => setAdding(true)} onClose={() => setAdding(false)} />
				</Tabs.Panel>
				<Tabs.Panel value="texts" pt="md">
					<Texts />
				</Tabs.Panel>
			</Tabs>
		</Page>
	)
}

/* ---- targets ---- */

function Targets({ adding, add, onClose }: { adding: boolean; add: () => void; onClose: () => void }) {
	const may = useMay()
	const kinds = useKinds()
	const [editing, setEditing] = useState<Provider | null>(null)
	const [testing, setTesting] = useState<Provider | null>(null)
	const [serving, setServing] = useState<Provider | null>(null)
	const [deleting, setDeleting] = useState<Provider | null>(null)
	const { query, narrowed, filters, when, by } = useProviderList(t('Search the targets'))
	const kindOf = (p: Provider) => kinds.data?.items.find((k) => k.name === p.kind)
	return (
		<>
			<Text c="dimmed" mb="sm">
				{t('Six ways lead a challenge to its answer: the built-in responder, a redirect, a forwarding proxy, a file below a web root, a BIG-IP, or by hand. The web root and the BIG-IP are set up here; the others need no target.')}{' '}
				<Link className="inline-link" href="/dns-domains/http">
					{t('What is answered now stands at HTTP answers.')}
				</Link>
			</Text>
			<DataTable<Provider>
				label={t('Targets')}
				queryKey={['providers', 'http', query]}
				read={async ({ limit, cursor }) => {
					const [page, all] = await Promise.all([unwrap(api.GET('/providers', { params: { query: { ...query, limit, cursor } } })), unwrap(api.GET('/provider-kinds'))])
					return { ...page, items: page.items.filter((p) => all.items.some((k) => k.name === p.kind && k.validations.includes('http-01'))) }
				}}
				rowKey={(p) => p.id}
				filters={filters}
				empty={
					narrowed ? <NoneFits /> : <Empty title={t('No target yet')} action={may('admin') && <Button onClick={add}>{t('Add target')}</Button>}>
						{t('A place where Certwright puts the answer to an HTTP challenge by itself and takes it away again: a data group of a BIG-IP, or a web root of this host.')}
					</Empty>
				}
				columns={[
					{
						title: t('Name'),
						sort: by('name'),
						render: (p) => (
							<>
								{p.name}
								<Text c="dimmed" size="sm">
									{p.title}
								</Text>
							</>
						),
					},
					{ title: t('Status'), render: (p) => <ProviderStatus provider={p} /> },
					{ title: t('Where'), render: (p) => <span className="mono break"><Soft text={remoteOf(p)?.address ?? remoteOf(p)?.directory ?? p.fields.url ?? p.fields.webroot ?? '–'} /></span> },
					{ title: t('Tested At'), render: (p) => <Time at={p.tested_at} show="two" /> },
					{ title: t('Created At'), sort: when, render: (p) => <Time at={p.created_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 60,
						render: (p) =>
							may('order') && (
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of target {name}', { name: p.name })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										<Menu.Item leftSection={<Icon name="refresh" size={16} />} onClick={() => setTesting(p)}>
											{t('Test')}
										</Menu.Item>
										{kindOf(p)?.attaches && (
											<Menu.Item leftSection={<Icon name="link" size={16} />} onClick={() => setServing(p)}>
												{t('Virtual servers')}
											</Menu.Item>
										)}
										{may('admin') && (
											<>
												<Menu.Item leftSection={<Icon name="lock" size={16} />} onClick={() => setEditing(p)}>
													{t('Change')}
												</Menu.Item>
												<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(p)}>
													{t('Delete')}
												</Menu.Item>
											</>
										)}
									</Menu.Dropdown>
								</Menu>
							),
					},
				]}
			/>
			{(adding || editing) && (
				<ProviderForm
					validation="http-01"
					provider={editing}
					onClose={() => {
						setEditing(null)
						onClose()
					}}
					onSaved={(p) => {
						setEditing(null)
						onClose()
						setTesting(p)
					}}
				/>
			)}
			{testing && <TestDialog provider={testing} onClose={() => setTesting(null)} />}
			{serving && <Servers provider={serving} onClose={() => setServing(null)} />}
			{deleting && (
				<Confirm opened title={t('Delete target')} action={t('Delete target')} onClose={() => setDeleting(null)} run={() => remove('/providers/{id}', deleting.id)} done={t('The target is deleted.')} reads={['providers']}>
					{t('{name} and its sealed credential will be deleted. What still uses it is named, and then it stays.', { name: deleting.name })}
				</Confirm>
			)}
		</>
	)
}

function RemoteText({ remote }: { remote: Remote }) {
	const words = remote.directory ? [remote.directory] : [remote.host ?? remote.address, remote.version && `TMOS ${remote.version}`, remote.state, remote.sync]
	return <Text size="sm">{words.filter(Boolean).join(' · ')}</Text>
}

function TestDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
	const client = useQueryClient()
	const [result, setResult] = useState<Provider | null>(null)
	const form = useForm<Record<string, unknown>>({ initialValues: {} })
	const run = async (write: boolean) => {
		setResult(await look(provider, write))
		void client.invalidateQueries({ queryKey: ['providers'] })
		void client.invalidateQueries({ queryKey: ['orders'] })
	}
	const probe = useSubmit(form, () => run(true))
	const { busy, act } = useAct()
	const remote = result && remoteOf(result)
	return (
		<FormDialog opened title={t('Test {name}', { name: provider.name })} onClose={onClose} onSubmit={probe.onSubmit} busy={probe.busy} error={probe.error} submit={t('Write and remove a probe')}>
			<Text size="sm">{t('A token of ours is written there, read back, and removed. No web server or virtual server is changed.')}</Text>
			<Group>
				<Button variant="default" loading={busy === 'read'} onClick={() => void act('read', () => run(false), null, [])}>
					{t('Test reading only')}
				</Button>
			</Group>
			{result && !result.reason && (
				<Notice tone="good" title={t('It works')} live>
					{remote && <RemoteText remote={remote} />}
				</Notice>
			)}
			{result?.reason && <Because reason={result.reason} />}
		</FormDialog>
	)
}

/* ---- virtual servers ---- */

function Servers({ provider, onClose }: { provider: Provider; onClose: () => void }) {
	const may = useMay()
	const client = useQueryClient()
	const [chosen, setChosen] = useState<Server | null>(null)
	const seen = useQuery({ queryKey: ['providers', provider.id, 'servers'], queryFn: () => look(provider, false), retry: false, staleTime: 0, gcTime: 0 })
	const form = useForm<Record<string, unknown>>({ initialValues: {} })
	const change = useSubmit(form, async () => {
		if (!chosen) return
		const body = { server: chosen.name, attach: !chosen.attached, expect: chosen.rules }
		const answer = await api.POST('/providers/{id}/attach', { params: { path: { id: provider.id } }, body })
		await finish<unknown>(answer, () => Promise.resolve(null))
		setChosen(null)
		await seen.refetch()
		void client.invalidateQueries({ queryKey: ['providers', 'http'] })
	})
	const remote = seen.data ? remoteOf(seen.data) : null
	if (chosen)
		return (
			<FormDialog opened size="lg" title={chosen.attached ? t('Detach from {name}', { name: chosen.name }) : t('Attach to {name}', { name: chosen.name })} onClose={() => setChosen(null)} onSubmit={change.onSubmit} busy={change.busy} error={change.error} submit={chosen.attached ? t('Detach') : t('Attach')}>
				<SimpleGrid cols={{ base: 1, sm: 2 }}>
					<Rules title={t('Rules now')} rules={chosen.rules} />
					<Rules title={t('Rules afterwards')} rules={chosen.attached ? chosen.rules_detached : chosen.rules_attached} />
				</SimpleGrid>
				<Text size="sm" c="dimmed">
					{chosen.attached ? t('The iRule and the data group stay on the device. Orders that use this target are no longer answered by this virtual server.') : t('The iRule answers challenges from the data group and lets everything else pass to the rules behind it. It stays: an order then touches only the data group.')}
				</Text>
			</FormDialog>
		)
	return (
		<FormDialog opened size="xl" title={t('Virtual servers of {name}', { name: provider.name })} onClose={onClose} onSubmit={() => void seen.refetch()} busy={seen.isFetching} error={null} submit={t('Look again')}>
			{seen.isError && <Failure error={seen.error} retry={() => void seen.refetch()} />}
			{seen.data?.reason && <Because reason={seen.data.reason} />}
			{remote && <RemoteText remote={remote} />}
			{remote?.servers && (
				<Table verticalSpacing="xs" aria-label={t('Virtual servers')}>
					<Table.Thead>
						<Table.Tr>
							<Table.Th>{t('Virtual server')}</Table.Th>
							<Table.Th>{t('Destination')}</Table.Th>
							<Table.Th>{t('HTTP profile')}</Table.Th>
							<Table.Th>{t('Answers challenges')}</Table.Th>
							<Table.Th />
						</Table.Tr>
					</Table.Thead>
					<Table.Tbody>
						{remote.servers.map((s) => (
							<Table.Tr key={s.name}>
								<Table.Td className="mono break">
									<Soft text={s.name} />
								</Table.Td>
								<Table.Td className="mono">{`${s.address}:${s.port || t('any')}`}</Table.Td>
								<Table.Td className="mono break">{s.http_profile ?? '–'}</Table.Td>
								<Table.Td>
									{s.attached ? <Tone tone="good">{t('yes')}</Tone> : s.unfit ? <Text size="sm" c="dimmed">{t('cannot: {why}', { why: s.unfit })}</Text> : t('no')}
								</Table.Td>
								<Table.Td ta="right">
									{may('admin') && (s.attached || !s.unfit) && (
										<Button size="compact-sm" variant="default" onClick={() => setChosen(s)}>
											{s.attached ? t('Detach') : t('Attach')}
										</Button>
									)}
								</Table.Td>
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			)}
		</FormDialog>
	)
}

function Rules({ title, rules }: { title: string; rules: string[] }) {
	return (
		<div>
			<Text fw={500}>{title}</Text>
			{rules.length ? (
				<List type="ordered" size="sm" className="mono">
					{rules.map((r) => (
						<List.Item key={r}>{r}</List.Item>
					))}
				</List>
			) : (
				<Text size="sm" c="dimmed">
					{t('none')}
				</Text>
			)}
		</div>
	)
}

/* ---- ready texts ---- */

type ChallengeText = Schemas['ChallengeText']

function Texts() {
	const [host, setHost] = useState(window.location.hostname)
	const [way, setWay] = useState<ChallengeText['way']>('redirect')
	const [asked] = useDebouncedValue(host.trim(), 300)
	const texts = useQuery({ queryKey: ['challenge-texts', asked], queryFn: () => unwrap(api.GET('/challenge-texts', { params: { query: asked ? { host: asked } : {} } })), placeholderData: keepPreviousData, retry: false })
	return (
		<Stack gap="md">
			<Text c="dimmed">{t('Put one of these on the machine that has port 80 of the name. The order uses the built-in responder.')}</Text>
			<Group align="end">
				<TextInput label={t('Public name of this server')} classNames={{ input: 'mono' }} spellCheck={false} value={host} onChange={(e) => setHost(e.currentTarget.value)} style={{ flex: 1, maxWidth: 420 }} />
				<SegmentedControl value={way} onChange={(v) => setWay(v as ChallengeText['way'])} data={[{ value: 'redirect', label: t('Redirect') }, { value: 'forward', label: t('Forward') }]} />
			</Group>
			<Notice tone="info">{way === 'redirect' ? t('Authorities follow a redirect to port 80 of another host: that host has to be reached from the Internet.') : t('The machine fetches the answer from here itself: this server need not be reached from the Internet.')}</Notice>
			{texts.isError && <Failure error={texts.error} retry={() => void texts.refetch()} />}
			{texts.data?.items
				.filter((x) => x.way === way)
				.map((x) => (
					<Card key={x.name} title={x.title} actions={<CopyButton value={x.text} what={t('the text for {title}', { title: x.title })} />}>
						<Text size="sm" c="dimmed" mb="xs">
							{x.help}
						</Text>
						<pre className="pem" tabIndex={0} aria-label={x.title}>
							{x.text}
						</pre>
					</Card>
				))}
		</Stack>
	)
}
