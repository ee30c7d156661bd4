// SPDX-License-Identifier: Apache-2.0
// Administration: users, API tokens, and the password of who is signed in.
import { ActionIcon, Button, Menu, PasswordInput, Select, Switch, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, ApiError, Idempotency, problemOf, remove, unwrap, type Token, type User } from '../api/client'
import { useMay, useSession } from '../api/session'
import { t } from '../i18n'
import { Empty, Relative, Time, Tone } from '../parts/bits'
import { Confirm, FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { useNamedList } from '../parts/named'
import { Loaded, Page } from '../parts/page'
import { RIGHTS, Rights, ROLES, roleOptions, type Right, type Role } from '../parts/rights'
import { DataTable, NoneFits, PlainTable } from '../parts/table'
import { CreateToken, TokenRole } from './tokens'

const crumbs = () => [{ text: t('Administration') }]

export function UsersPage() {
	const { user: me } = useSession()
	const [looking, setLooking] = useState<User | null>(null)
	const [making, setMaking] = useState(false)
	const [editing, setEditing] = useState<User | null>(null)
	const [deleting, setDeleting] = useState<User | null>(null)
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the users'), only: { key: 'role', label: t('Role'), all: t('Every role'), data: ROLES.map((x) => ({ value: x, label: x })) }, first: 'oldest' })
	return (
		<Page
			title={t('Users')}
			crumbs={crumbs()}
			actions={
				<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
					{t('Add User')}
				</Button>
			}
		>
			<DataTable<User>
				label={t('Users')}
				queryKey={['users', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/users', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(u) => u.id}
				filters={filters}
				empty={narrowed ? <NoneFits /> : <Empty title={t('No user')} />}
				columns={[
					{
						title: t('Name'),
						sort: by('name'),
						render: (u) => (
							<>
								<span className="break">{u.name}</span>
								{u.id === me.id && (
									<Text span c="dimmed">
										{' '}
										{t('(you)')}
									</Text>
								)}
							</>
						),
					},
					{ title: t('Role'), render: (u) => u.role },
					{ title: t('Rights'), render: (u) => (u.rights.length ? u.rights.join(', ') : <Text span c="dimmed">{t('none')}</Text>) },
					{ title: t('Status'), render: (u) => <Tone tone={u.disabled ? 'calm' : 'good'}>{u.disabled ? t('disabled') : t('active')}</Tone> },
					{ title: t('Last sign-in'), render: (u) => (u.last_login_at ? <Time at={u.last_login_at} /> : t('never')) },
					{ title: t('Created At'), sort: when, render: (u) => <Time at={u.created_at} /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 60,
						render: (u) => (
							<Menu position="bottom-end" withinPortal>
								<Menu.Target>
									<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of {name}', { name: u.name })}>
										<Icon name="more" />
									</ActionIcon>
								</Menu.Target>
								<Menu.Dropdown>
									<Menu.Item onClick={() => setEditing(u)}>{t('Edit')}</Menu.Item>
									<Menu.Item onClick={() => setLooking(u)}>{t('Sessions')}</Menu.Item>
									<Menu.Item color="red" disabled={u.id === me.id} leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(u)}>
										{t('Delete')}
									</Menu.Item>
								</Menu.Dropdown>
							</Menu>
						),
					},
				]}
			/>
			{making && <AddUser onClose={() => setMaking(false)} />}
			{editing && <EditUser user={editing} onClose={() => setEditing(null)} />}
			{looking && <Sessions user={looking} onClose={() => setLooking(null)} />}
			{deleting && (
				<Confirm opened title={t('Delete user')} action={t('Delete user')} onClose={() => setDeleting(null)} run={() => remove('/users/{id}', deleting.id)} done={t('The user is deleted.')} reads={['users', 'tokens']}>
					{t('{name} is signed out at once, and the API tokens of {name} stop working. What {name} did stays in the audit.', { name: deleting.name })}
				</Confirm>
			)}
		</Page>
	)
}

function Sessions({ user, onClose }: { user: User; onClose: () => void }) {
	const client = useQueryClient()
	const path = { id: user.id }
	const sessions = useQuery({ queryKey: ['sessions', user.id], queryFn: () => unwrap(api.GET('/users/{id}/sessions', { params: { path } })) })
	const end = async (id: string) => {
		await unwrap(api.DELETE('/sessions/{id}', { params: { path: { id } } }))
		void client.invalidateQueries({ queryKey: ['sessions', user.id] })
	}
	const endAll = async () => {
		await unwrap(api.DELETE('/users/{id}/sessions', { params: { path } }))
		notifications.show({ message: t('{name} is signed out everywhere.', { name: user.name }), color: 'green' })
		onClose()
	}
	const form = useForm({ initialValues: {} })
	const { busy, error, onSubmit } = useSubmit(form, endAll)
	return (
		<FormDialog opened title={t('Sessions of {name}', { name: user.name })} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Sign out everywhere')}>
			<Loaded query={sessions}>
				{(list) =>
					list.items.length === 0 ? (
						<Empty title={t('Not signed in')} />
					) : (
						<PlainTable
							label={t('Sessions')}
							rows={list.items}
							rowKey={(s) => s.id}
							columns={[
								{ title: t('From'), render: (s) => <span className="mono">{s.address ?? '–'}{s.current ? ' ' + t('(this one)') : ''}</span> },
								{ title: t('Since'), render: (s) => <Time at={s.created_at} /> },
								{ title: t('Seen'), render: (s) => <Relative at={s.seen_at} /> },
								{
									title: t('Actions'),
									hideTitle: true,
									end: true,
									render: (s) => (
										<Button size="compact-sm" variant="default" onClick={() => void end(s.id)}>
											{t('End')}
										</Button>
									),
								},
							]}
						/>
					)
				}
			</Loaded>
		</FormDialog>
	)
}

const passwordRule = (v: string) => (v.length < 12 ? t('At least 12 characters.') : v.length > 256 ? t('At most 256 characters.') : null)

function AddUser({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const idem = useMemo(() => new Idempotency(), [])
	const form = useForm({ initialValues: { name: '', role: 'operator' as Role, rights: [] as Right[], password: '' }, validate: { name: (v) => (v.trim() ? null : t('Give a name.')), password: passwordRule } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const body = { name: v.name.trim(), role: v.role, rights: v.rights, password: v.password }
		await unwrap(api.POST('/users', { params: { header: { 'Idempotency-Key': idem.for(body) } }, body }))
		void client.invalidateQueries({ queryKey: ['users'] })
		notifications.show({ message: t('{name} can sign in now.', { name: body.name }), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Add User')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Add User')}>
			<TextInput label={t('Name')} autoComplete="off" spellCheck={false} data-autofocus {...form.getInputProps('name')} />
			<Select label={t('Role')} data={roleOptions('admin')} {...form.getInputProps('role')} />
			<Rights of={RIGHTS} {...form.getInputProps('rights')} />
			<PasswordInput size="md" label={t('Password')} autoComplete="new-password" description={t('At least 12 characters. Hand it over and ask for a change at the first sign-in.')} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }} {...form.getInputProps('password')} />
		</FormDialog>
	)
}

function EditUser({ user, onClose }: { user: User; onClose: () => void }) {
	const client = useQueryClient()
	const { user: me } = useSession()
	const form = useForm({ initialValues: { role: user.role, rights: user.rights, password: '', disabled: user.disabled }, validate: { password: (v) => (v ? passwordRule(v) : null) } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const path = { id: user.id }
		const now = await api.GET('/users/{id}', { params: { path } })
		if (!now.response.ok) throw new ApiError(problemOf(now.error, now.response))
		const body = { ...(v.role !== user.role ? { role: v.role } : {}), ...([...v.rights].sort().join() !== [...user.rights].sort().join() ? { rights: v.rights } : {}), ...(v.disabled !== user.disabled ? { disabled: v.disabled } : {}), ...(v.password ? { password: v.password } : {}) }
		if (Object.keys(body).length) await unwrap(api.PATCH('/users/{id}', { params: { path, header: { 'If-Match': now.response.headers.get('ETag') ?? '' } }, body }))
		void client.invalidateQueries({ queryKey: ['users'] })
		onClose()
	})
	return (
		<FormDialog opened title={t('Edit {name}', { name: user.name })} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<Select label={t('Role')} data={roleOptions('admin')} disabled={user.id === me.id} description={user.id === me.id ? t('Nobody changes the own role.') : undefined} {...form.getInputProps('role')} />
			<Rights of={RIGHTS} {...form.getInputProps('rights')} />
			<PasswordInput size="md" label={t('New password')} autoComplete="new-password" description={t('Leave empty to keep the present one.')} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }} {...form.getInputProps('password')} />
			<Switch label={t('Disabled: may not sign in')} disabled={user.id === me.id} {...form.getInputProps('disabled', { type: 'checkbox' })} />
		</FormDialog>
	)
}

export function TokensPage() {
	const may = useMay()
	const [making, setMaking] = useState(false)
	const [revoking, setRevoking] = useState<Token | null>(null)
	const { query, narrowed, filters, when, by } = useNamedList({ search: t('Search the tokens'), also: ['expires'] })
	return (
		<Page
			title={t('API tokens')}
			crumbs={crumbs()}
			actions={
				<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
					{t('Create Token')}
				</Button>
			}
		>
			<DataTable<Token>
				label={t('API tokens')}
				queryKey={['tokens', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/tokens', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(k) => k.id}
				filters={filters}
				empty={
					narrowed ? (
						<NoneFits />
					) : (
						<Empty title={t('No API token')} action={<Button onClick={() => setMaking(true)}>{t('Create Token')}</Button>}>
							{t('Scripts, CI and the command line sign in with a token. “certwright login” makes one too.')}
						</Empty>
					)
				}
				columns={[
					{
						title: t('Name'),
						sort: by('name'),
						render: (k) => (
							<>
								<span className="break">{k.name}</span>
								<Text c="dimmed" size="sm" className="mono">
									{k.prefix}…
								</Text>
							</>
						),
					},
					...(may('admin') ? [{ title: t('Owner'), render: (k: Token) => k.user_name }] : []),
					{ title: t('Role'), render: (k) => <TokenRole token={k} /> },
					{ title: t('Only from'), render: (k) => (k.sources.length ? <span className="mono break">{k.sources.join(', ')}</span> : t('anywhere')) },
					{ title: t('Status'), render: (k) => (k.revoked_at ? <Tone tone="calm">{t('revoked')}</Tone> : new Date(k.expires_at).getTime() < Date.now() ? <Tone tone="calm">{t('expired')}</Tone> : <Tone tone="good">{t('active')}</Tone>) },
					{ title: t('Last used'), render: (k) => (k.used_at ? <Relative at={k.used_at} /> : t('never')) },
					{ title: t('Expires'), sort: by('expires'), nowrap: true, render: (k) => <Time at={k.expires_at} show="date" /> },
					{ title: t('Created At'), sort: when, nowrap: true, render: (k) => <Time at={k.created_at} show="date" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 90,
						render: (k) =>
							!k.revoked_at && (
								<Button size="compact-sm" variant="default" aria-label={t('Revoke token {name}', { name: k.name })} onClick={() => setRevoking(k)}>
									{t('Revoke')}
								</Button>
							),
					},
				]}
			/>
			{making && <CreateToken onClose={() => setMaking(false)} />}
			{revoking && (
				<Confirm opened title={t('Revoke token')} action={t('Revoke token')} onClose={() => setRevoking(null)} run={async () => unwrap(api.DELETE('/tokens/{id}', { params: { path: { id: revoking.id } } }))} done={t('The token is revoked.')} reads={['tokens']}>
					{t('Whatever signs in with “{name}” stops working at once. This is not undone.', { name: revoking.name })}
				</Confirm>
			)}
		</Page>
	)
}

export function PasswordDialog({ onClose }: { onClose: () => void }) {
	const form = useForm({
		initialValues: { old_password: '', new_password: '', again: '' },
		validate: { old_password: (v) => (v ? null : t('Type your present password.')), new_password: passwordRule, again: (v, all) => (v === all.new_password ? null : t('This is not the same password.')) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		await unwrap(api.PUT('/password', { body: { old_password: v.old_password, new_password: v.new_password } }))
		notifications.show({ message: t('Your password is changed.'), color: 'green' })
		onClose()
	})
	const toggle = { 'aria-label': t('Show or hide the password') }
	return (
		<FormDialog opened title={t('Change password')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Change password')} size="md">
			<PasswordInput size="md" label={t('Present password')} autoComplete="current-password" visibilityToggleButtonProps={toggle} {...form.getInputProps('old_password')} />
			<PasswordInput size="md" label={t('New password')} autoComplete="new-password" description={t('At least 12 characters; a short sentence is good.')} visibilityToggleButtonProps={toggle} {...form.getInputProps('new_password')} />
			<PasswordInput size="md" label={t('New password again')} autoComplete="new-password" visibilityToggleButtonProps={toggle} {...form.getInputProps('again')} />
		</FormDialog>
	)
}
