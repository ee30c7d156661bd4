// SPDX-License-Identifier: Apache-2.0
// Administration › Notifications: what is open, who is told (mail, webhooks), a test, and what each channel was told.
import { ActionIcon, Button, Group, Menu, Modal, MultiSelect, NumberInput, PasswordInput, Select, Stack, Switch, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, ApiError, finish, Idempotency, problemOf, remove, unwrap, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Because, CopyLine, Empty, Notice, sentence, Time, Tone, type ToneName } from '../parts/bits'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { useNamedList } from '../parts/named'
import { Page } from '../parts/page'
import { DataTable, NoneFits } from '../parts/table'
import { NoticesCard } from './renewals'
import { useVendors } from './vendors'

export type Channel = Schemas['Channel']
type Message = Schemas['Message']

/** The words of rules, for people. */
function eventNames(): Record<string, string> {
	return {
		issued: t('Certificate issued'),
		renewed: t('Certificate renewed'),
		'renewal-failed': t('Renewal failed'),
		'renewal-paused': t('Renewal given up'),
		'renewal-delayed': t('Renewal takes long'),
		'renewal-not-tried': t('Renewal due and not tried'),
		'waiting-for-you': t('Waiting for you'),
		'csr-needed': t('A new CSR is needed'),
		'waiting-to-be-installed': t('Issued, waiting to be installed'),
		'account-needs-attention': t('Account needs attention'),
		'payment-not-allowed': t('Payment not allowed'),
		recall: t('Recall: replace now'),
		expiring: t('Expiring'),
		'renewals-stopped': t('Renewals are stopped'),
		'window-overruled': t('Renewed outside its window'),
		'credential-refused': t('Credential refused'),
		'delegation-lost': t('Delegation lost'),
		'vendor-parked': t('Authority refuses requests'),
		'debt-unpaid': t('Records could not be withdrawn'),
		'backup-old': t('Last backup is too old'),
		'key-lost': t('Keys were lost'),
	}
}

function kindName(kind: Channel['kind']): string {
	return kind === 'email' ? t('mail') : t('webhook')
}

function where(c: Channel): string {
	return c.kind === 'email' ? (c.settings.to ?? []).join(', ') : (c.settings.url ?? '')
}

function ChannelStatus({ channel: c }: { channel: Channel }) {
	const tones: Record<Channel['status'], ToneName> = { new: 'calm', ok: 'good', failing: 'bad' }
	const words: Record<Channel['status'], string> = { new: t('nothing sent yet'), ok: t('works'), failing: t('failing') }
	if (!c.enabled) return <Tone tone="calm">{t('off')}</Tone>
	return (
		<Tone tone={tones[c.status]} title={c.reason ? sentence(c.reason.detail ?? c.reason.title) : undefined}>
			{words[c.status]}
		</Tone>
	)
}

export function NotificationsPage() {
	const may = useMay()
	const [adding, setAdding] = useState(false)
	const [editing, setEditing] = useState<Channel | null>(null)
	const [deleting, setDeleting] = useState<Channel | null>(null)
	const [reading, setReading] = useState<Channel | null>(null)
	const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null)
	const [tested, setTested] = useState<Channel | null>(null)
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the channels'), only: { key: 'kind', label: t('Kind'), all: t('Every kind'), data: (['email', 'webhook'] as const).map((x) => ({ value: x, label: kindName(x) })) } })
	const { busy, act } = useAct()
	const test = (c: Channel) =>
		act(
			`test ${c.id}`,
			async () => {
				const answer = await api.POST('/channels/{id}/test', { params: { path: { id: c.id } } })
				const got = await finish<Channel>(answer, () => unwrap(api.GET('/channels/{id}', { params: { path: { id: c.id } } })))
				setTested(got)
				if (!got.reason) notifications.show({ message: t('{name} took the test message.', { name: got.name }), color: 'green' })
			},
			null,
			['channels'],
		)
	const rotate = (c: Channel) =>
		act(
			`rotate ${c.id}`,
			async () => {
				const got = await unwrap(api.POST('/channels/{id}/secret', { params: { path: { id: c.id } } }))
				if (got.secret) setSecret({ name: got.name, secret: got.secret })
			},
			null,
			['channels'],
		)
	return (
		<Page
			title={t('Notifications')}
			actions={
				may('admin') && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
						{t('Add channel')}
					</Button>
				)
			}
		>
			<Stack gap="md">
				<NoticesCard />
				{tested?.reason && <Because reason={tested.reason} />}
				<DataTable<Channel>
					label={t('Channels')}
					queryKey={['channels', query]}
					read={({ limit, cursor }) => unwrap(api.GET('/channels', { params: { query: { ...query, limit, cursor } } }))}
					rowKey={(c) => c.id}
					filters={filters}
					empty={
						narrowed ? <NoneFits /> : <Empty title={t('Nobody is told yet')} action={may('admin') && <Button onClick={() => setAdding(true)}>{t('Add channel')}</Button>}>
							{t('Say who is told when something goes wrong: people by mail, or a program by a signed webhook.')}
						</Empty>
					}
					columns={[
						{
							title: t('Name'),
							sort: by('name'),
							render: (c) => (
								<>
									{c.name}
									<Text c="dimmed" size="sm">
										{kindName(c.kind)}
									</Text>
								</>
							),
						},
						{ title: t('Status'), render: (c) => <ChannelStatus channel={c} /> },
						{ title: t('To'), render: (c) => <span style={{ overflowWrap: 'anywhere' }}>{where(c)}</span> },
						{ title: t('Told About'), render: (c) => (c.rules.events.length ? c.rules.events.map((e) => eventNames()[e] ?? e).join(', ') : t('all notices')) },
						{ title: t('Waiting'), render: (c) => `${c.waiting}${c.dropped ? ` (${t('{n} dropped', { n: c.dropped })})` : ''}` },
						{ title: t('Last Sent'), render: (c) => <Time at={c.sent_at} show="two" /> },
						{ title: t('Created At'), sort: when, render: (c) => <Time at={c.created_at} show="two" /> },
						{
							title: t('Actions'),
							hideTitle: true,
							end: true,
							width: 60,
							render: (c) => (
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" loading={busy === `test ${c.id}`} aria-label={t('Actions of channel {name}', { name: c.name })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										{may('order') && (
											<Menu.Item leftSection={<Icon name="refresh" size={16} />} onClick={() => void test(c)}>
												{t('Send test')}
											</Menu.Item>
										)}
										<Menu.Item leftSection={<Icon name="activity" size={16} />} onClick={() => setReading(c)}>
											{t('What it was told')}
										</Menu.Item>
										{may('admin') && (
											<>
												<Menu.Item leftSection={<Icon name="lock" size={16} />} onClick={() => setEditing(c)}>
													{t('Change')}
												</Menu.Item>
												{c.kind === 'webhook' && (
													<Menu.Item leftSection={<Icon name="token" size={16} />} onClick={() => void rotate(c)}>
														{t('New signing secret')}
													</Menu.Item>
												)}
												<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(c)}>
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
			</Stack>
			{(adding || editing) && (
				<ChannelForm
					channel={editing}
					onClose={() => {
						setAdding(false)
						setEditing(null)
					}}
					onSaved={(c, shown) => {
						setAdding(false)
						setEditing(null)
						if (shown) setSecret({ name: c.name, secret: shown })
					}}
				/>
			)}
			{reading && <Messages channel={reading} onClose={() => setReading(null)} />}
			{secret && (
				<Modal opened onClose={() => setSecret(null)} title={t('Signing secret of {name}', { name: secret.name })}>
					<Stack gap="sm">
						<Text>{t('It is shown this once. The receiver checks the header webhook-signature with it (Standard Webhooks).')}</Text>
						<CopyLine value={secret.secret} what={t('the secret')} />
					</Stack>
				</Modal>
			)}
			{deleting && (
				<Confirm opened title={t('Delete channel')} action={t('Delete channel')} onClose={() => setDeleting(null)} run={() => remove('/channels/{id}', deleting.id)} done={t('The channel is deleted.')} reads={['channels']}>
					{t('{name} is told nothing any more; what waits for it is given up.', { name: deleting.name })}
				</Confirm>
			)}
		</Page>
	)
}

interface Values extends Record<string, unknown> {
	kind: 'email' | 'webhook'
	name: string
	enabled: boolean
	host: string
	port: number | string
	security: string
	user: string
	password: string
	from: string
	to: string[]
	url: string
	events: string[]
	vendors: string[]
	tags: string[]
	owners: string[]
	search: string
	allow: string
	ca: string
}

/** The pointer's member of settings, rules or connection: what the form calls it. */
function fieldsOf(e: ApiError): Record<string, string> {
	const at: Record<string, string> = {}
	for (const item of e.problem.errors ?? []) {
		const m = /^\/(?:settings|rules)\/([a-z]+)/.exec(item.pointer)
		const name = m?.[1] ?? (item.pointer.startsWith('/connection') ? 'allow' : undefined)
		if (name) at[name] = sentence(item.detail)
	}
	return at
}

export function ChannelForm({ channel, onClose, onSaved }: { channel: Channel | null; onClose: () => void; onSaved: (c: Channel, secret: string | null) => void }) {
	const client = useQueryClient()
	const vendors = useVendors()
	const idem = useMemo(() => new Idempotency(), [])
	const was = channel?.settings
	const connection = (channel?.connection ?? null) as { allow?: string[]; ca_pem?: string | null } | null
	const form = useForm<Values>({
		initialValues: {
			kind: channel?.kind ?? 'email',
			name: channel?.name ?? '',
			enabled: channel?.enabled ?? true,
			host: was?.host ?? '',
			port: was?.port ?? 587,
			security: was?.security ?? 'starttls',
			user: was?.user ?? '',
			password: '',
			from: was?.from ?? '',
			to: was?.to ?? [],
			url: was?.url ?? '',
			events: channel?.rules.events ?? [],
			vendors: channel?.rules.vendors ?? [],
			tags: channel?.rules.tags ?? [],
			owners: channel?.rules.owners ?? [],
			search: channel?.rules.search ?? '',
			allow: (connection?.allow ?? []).join(', '),
			ca: connection?.ca_pem ?? '',
		},
		validate: { name: (v) => (v.trim() ? null : t('Give it a name.')) },
	})
	const mail = form.values.kind === 'email'
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const settings = mail ? { host: v.host.trim().toLowerCase(), port: Number(v.port), security: v.security, user: v.user.trim() || null, from: v.from.trim(), to: v.to, ...(v.password ? { password: v.password } : v.user.trim() ? {} : { password: null }) } : { url: v.url.trim() }
		const allow = v.allow.split(/[\s,]+/).filter(Boolean)
		const link = allow.length || v.ca.trim() ? { connection: { ...(connection ?? {}), allow, ca_pem: v.ca.trim() ? `${v.ca.trim()}\n` : null } } : connection ? { connection: {} } : {}
		const body = { name: v.name.trim(), enabled: v.enabled, settings, rules: { events: v.events, vendors: v.vendors, tags: v.tags, owners: v.owners, search: v.search.trim() }, ...link }
		try {
			let saved: Channel
			let secret: string | null = null
			if (channel) {
				const got = await api.GET('/channels/{id}', { params: { path: { id: channel.id } } })
				if (!got.response.ok) throw new ApiError(problemOf(got.error, got.response))
				saved = await unwrap(api.PATCH('/channels/{id}', { params: { path: { id: channel.id }, header: { 'If-Match': got.response.headers.get('ETag') ?? '*' } }, body: body as never }))
			} else {
				const all = { kind: v.kind, ...body }
				const made = await unwrap(api.POST('/channels', { params: { header: { 'Idempotency-Key': idem.for(all) } }, body: all as never }))
				saved = made
				secret = made.secret
			}
			void client.invalidateQueries({ queryKey: ['channels'] })
			notifications.show({ message: t('{name} is saved.', { name: saved.name }), color: 'green' })
			onSaved(saved, secret)
		} catch (e) {
			if (e instanceof ApiError) form.setErrors(fieldsOf(e))
			throw e
		}
	})
	return (
		<FormDialog opened title={channel ? t('Change {name}', { name: channel.name }) : t('Add a notification channel')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<Select label={t('Kind')} disabled={channel !== null} allowDeselect={false} data={[{ value: 'email', label: t('Mail') }, { value: 'webhook', label: t('Webhook') }]} {...form.getInputProps('kind')} />
			<TextInput label={t('Name')} placeholder={t('How it is called in the lists')} maxLength={100} {...form.getInputProps('name')} />
			{mail ? (
				<>
					<Group grow align="start">
						<TextInput label={t('Mail server')} placeholder="mail.example.com" classNames={{ input: 'mono' }} {...form.getInputProps('host')} />
						<NumberInput label={t('Port')} min={1} max={65535} {...form.getInputProps('port')} />
						<Select label={t('Security')} allowDeselect={false} data={[{ value: 'starttls', label: 'STARTTLS' }, { value: 'tls', label: 'TLS' }, { value: 'none', label: t('none (private host)') }]} {...form.getInputProps('security')} />
					</Group>
					<Group grow align="start">
						<TextInput label={t('User')} autoComplete="off" {...form.getInputProps('user')} />
						<PasswordInput label={t('Password')} autoComplete="new-password" placeholder={was?.password ? t('set; leave empty to keep it') : undefined} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide {what}', { what: t('Password') }) }} {...form.getInputProps('password')} />
					</Group>
					<TextInput label={t('From')} placeholder="certwright@example.com" {...form.getInputProps('from')} />
					<TagsInput label={t('To')} placeholder="ops@example.com" splitChars={[',', ' ', ';']} {...form.getInputProps('to')} />
				</>
			) : (
				<TextInput label={t('URL')} placeholder="https://hooks.example.com/certwright" classNames={{ input: 'mono' }} {...form.getInputProps('url')} />
			)}
			<MultiSelect label={t('Told about')} description={t('Nothing chosen: all notices. Issued and renewed only when chosen.')} searchable clearable data={Object.entries(eventNames()).map(([value, label]) => ({ value, label }))} {...form.getInputProps('events')} />
			<MultiSelect label={t('Only certificates of')} searchable clearable data={(vendors.data?.items ?? []).map((v) => ({ value: v.key, label: v.title }))} {...form.getInputProps('vendors')} />
			<TagsInput size="md" label={t('Only certificates with one of these tags')} description={t('Empty: all. Press Enter after each.')} {...form.getInputProps('tags')} />
			<TagsInput size="md" label={t('Only certificates of these owners')} description={t('Empty: all. Press Enter after each.')} {...form.getInputProps('owners')} />
			<TextInput label={t('Only certificates that this search finds')} classNames={{ input: 'mono' }} placeholder="name:*.example.com key:rsa2048" description={t('As in the search of the certificates. Empty: all.')} maxLength={500} {...form.getInputProps('search')} />
			<TextInput label={t('Private networks that are meant')} classNames={{ input: 'mono' }} placeholder="10.1.0.0/16" description={t('Only when its host has a private address: the networks it may be in.')} {...form.getInputProps('allow')} />
			<Textarea label={t('Its own CA (PEM)')} autosize minRows={1} maxRows={8} classNames={{ input: 'mono' }} spellCheck={false} {...form.getInputProps('ca')} />
			<Switch label={t('Tell from now on')} {...form.getInputProps('enabled', { type: 'checkbox' })} />
			{channel && mail && was?.password && <Notice tone="info">{t('The password belongs to server, port, security and user: when one changes, enter it again.')}</Notice>}
		</FormDialog>
	)
}

function Messages({ channel, onClose }: { channel: Channel; onClose: () => void }) {
	const tones: Record<Message['state'], ToneName> = { waiting: 'warn', sent: 'good', skipped: 'calm', dropped: 'bad' }
	const words: Record<Message['state'], string> = { waiting: t('waiting'), sent: t('sent'), skipped: t('over before it was sent'), dropped: t('dropped') }
	return (
		<Modal opened onClose={onClose} size="xl" title={t('What {name} was told', { name: channel.name })}>
			<DataTable<Message>
				label={t('Messages')}
				queryKey={['channels', channel.id, 'messages']}
				read={({ limit, cursor }) => unwrap(api.GET('/channels/{id}/messages', { params: { path: { id: channel.id }, query: { limit, cursor } } }))}
				rowKey={(m) => m.id}
				empty={<Empty title={t('Nothing yet')}>{t('Messages of the last 30 days are shown here.')}</Empty>}
				columns={[
					{ title: t('Created At'), render: (m) => <Time at={m.created_at} show="two" /> },
					{ title: t('Subject'), render: (m) => m.subject ?? eventNames()[m.event] ?? m.event },
					{ title: t('Status'), render: (m) => <Tone tone={tones[m.state]}>{words[m.state]}</Tone> },
				]}
			/>
		</Modal>
	)
}
