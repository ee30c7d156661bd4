// SPDX-License-Identifier: Apache-2.0
// Before anybody is signed in: sign-in, and the first administrator by the one-time link /#setup=TOKEN.
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useEffect, useState, type ReactNode } from 'react'
import { api, unwrap } from '../api/client'
import { useAuth } from '../api/session'
import { t } from '../i18n'
import { Failure, Notice } from '../parts/bits'
import { useSubmit } from '../parts/form'
import { Mark } from '../parts/icon'

export function Door({ title, children }: { title: string; children: ReactNode }) {
	useEffect(() => {
		document.title = `${title} · Certwright`
	}, [title])
	return (
		<main className="door">
			<div className="door-card">
				<div className="brand" style={{ justifyContent: 'center', paddingBottom: 20, fontSize: '1.25rem' }}>
					<Mark size={32} />
					Certwright
				</div>
				<div className="card card-pad" style={{ padding: 28 }}>
					<Title order={1} mb="md">
						{title}
					</Title>
					{children}
				</div>
			</div>
		</main>
	)
}

export function SignIn({ expired }: { expired: boolean }) {
	const { enter } = useAuth()
	const form = useForm({
		mode: 'uncontrolled',
		initialValues: { name: '', password: '' },
		validate: { name: (v) => (v ? null : t('Type your name.')), password: (v) => (v ? null : t('Type your password.')) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (body) => enter(await unwrap(api.POST('/session', { body }))))
	return (
		<Door title={t('Sign in')}>
			<form onSubmit={onSubmit} noValidate>
				<Stack gap="md">
					{expired && !error && <Notice tone="info">{t('Your session has ended. Sign in, and you are back where you were.')}</Notice>}
					{error && <Failure error={error} />}
					<TextInput label={t('Name')} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus key={form.key('name')} {...form.getInputProps('name')} />
					<PasswordInput size="md" label={t('Password')} autoComplete="current-password" visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }} key={form.key('password')} {...form.getInputProps('password')} />
					<Button type="submit" size="md" loading={busy} fullWidth>
						{t('Sign in')}
					</Button>
				</Stack>
			</form>
		</Door>
	)
}

/** The token of the link; it leaves the address bar and the history at once. */
function takeToken(): string {
	const m = /^#setup=([A-Za-z0-9_.~-]{1,128})$/.exec(location.hash)
	if (!m) return ''
	history.replaceState(null, '', location.pathname)
	return m[1] ?? ''
}
const tokenOfLink = takeToken()
/** The page was opened by a one-time link, which makes an administrator also where there is one. */
export const cameByLink = tokenOfLink !== ''

/** Where the first run goes on. */
export const TOLD = '/first/told'

export function Setup() {
	const { enter } = useAuth()
	const [token] = useState(tokenOfLink)
	const form = useForm({
		mode: 'uncontrolled',
		initialValues: { setup_token: token, name: '', password: '', again: '' },
		validate: {
			setup_token: (v) => (v.trim() ? null : t('Paste the token that the server printed.')),
			name: (v) => (v.trim() ? null : t('Choose a name.')),
			password: (v) => (v.length < 12 ? t('At least 12 characters.') : v.length > 256 ? t('At most 256 characters.') : null),
			again: (v, all) => (v === all.password ? null : t('This is not the same password.')),
		},
	})
	const { busy, error, onSubmit } = useSubmit(form, async ({ setup_token, name, password }) => {
		const session = await unwrap(api.POST('/setup', { body: { setup_token: setup_token.trim(), name: name.trim(), password } }))
		history.replaceState(null, '', TOLD)
		enter(session)
	})
	return (
		<Door title={t('Make the first administrator')}>
			<form onSubmit={onSubmit} noValidate>
				<Stack gap="md">
					<Text c="dimmed">{token ? t('Your link is good for one use. Choose how you will sign in from now on.') : t('The server printed a one-time link when it started. Open that link, or paste its token here. On the host, “certwright setup” prints a new one.')}</Text>
					{error && <Failure error={error} />}
					{(!token || error) && <TextInput label={t('Setup token')} autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }} key={form.key('setup_token')} {...form.getInputProps('setup_token')} />}
					<TextInput label={t('Name')} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus key={form.key('name')} {...form.getInputProps('name')} />
					<PasswordInput size="md" label={t('Password')} description={t('At least 12 characters; a short sentence is good.')} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }} key={form.key('password')} {...form.getInputProps('password')} />
					<PasswordInput size="md" label={t('Password again')} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }} key={form.key('again')} {...form.getInputProps('again')} />
					<Button type="submit" size="md" loading={busy} fullWidth>
						{t('Make administrator and sign in')}
					</Button>
				</Stack>
			</form>
		</Door>
	)
}
