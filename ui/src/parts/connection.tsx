// SPDX-License-Identifier: Apache-2.0
// How the host of one integration is reached: by the proxy or not, whose certificates are trusted, and that a private address is
// meant. One part for accounts, External DNS and whatever else calls out; what is filled in is sent whole.
import { Button, Collapse, Group, Select, Stack, Text, Textarea, TextInput, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import { api, finish, type Schemas } from '../api/client'
import { t } from '../i18n'
import { dateText, Failure, Notice } from './bits'
import { Icon } from './icon'

export interface Connection {
	route: string
	ca_pem: string
	fingerprint: string
	allow: string
}

type Stored = { route?: string; ca_pem?: string | null; fingerprint?: string | null; allow?: string[] | null }

/** What the server has, as a form shows it. */
export function connectionOf(stored: unknown): Connection {
	const s = (stored ?? {}) as Stored
	return { route: s.route ?? 'default', ca_pem: s.ca_pem ?? '', fingerprint: s.fingerprint ?? '', allow: (s.allow ?? []).join(', ') }
}

/** The object for the server, or null when it says nothing of its own. */
export function connectionBody(c: Connection): Record<string, unknown> | null {
	const allow = c.allow.split(/[\s,]+/).filter(Boolean)
	const body = {
		...(c.route !== 'default' ? { route: c.route } : {}),
		...(c.ca_pem.trim() ? { ca_pem: c.ca_pem.trim() + '\n' } : {}),
		...(c.fingerprint.trim() ? { fingerprint: c.fingerprint.trim() } : {}),
		...(allow.length ? { allow } : {}),
	}
	return Object.keys(body).length ? body : null
}

type Shown = Schemas['HostCertificate']

/** The certificate that the host shows now: compared by a person, and pinned only by the second click. */
function LookAtHost({ url, value, onPin }: { url: string; value: Connection; onPin: (fingerprint: string) => void }) {
	const [shown, setShown] = useState<Shown | null>(null)
	const [failed, setFailed] = useState<unknown>(null)
	const [busy, setBusy] = useState(false)
	const look = async () => {
		setBusy(true)
		setFailed(null)
		setShown(null)
		try {
			const { route, allow } = connectionBody(value) ?? {}
			const connection = { ...(route ? { route } : {}), ...(allow ? { allow } : {}) }
			const answer = await api.POST('/network/look', { body: { url, ...(Object.keys(connection).length ? { connection } : {}) } })
			setShown(await finish<Shown>(answer, async (job) => job.result as unknown as Shown))
		} catch (e) {
			setFailed(e)
		}
		setBusy(false)
	}
	return (
		<Stack gap="xs">
			<Group>
				<Button size="compact-sm" variant="default" loading={busy} disabled={!/^https:\/\/\S+$/i.test(url)} onClick={() => void look()}>
					{t('Look at its certificate')}
				</Button>
			</Group>
			{failed !== null && <Failure error={failed} />}
			{shown && (
				<Notice tone="info" title={t('The host shows this certificate')}>
					<Stack gap={4}>
						<Text size="sm">{t('Subject: {subject}; issued by {issuer}', { subject: shown.subject ?? '–', issuer: shown.issuer ?? '–' })}</Text>
						<Text size="sm">{t('For {names}, valid until {when}', { names: shown.names ?? '–', when: shown.not_after ? dateText(shown.not_after) : '–' })}</Text>
						<Text size="sm" className="mono break">{shown.fingerprint}</Text>
						<Text size="sm">{t('Compare it with what the host’s administrator names. Once pinned, nothing else is trusted for this host, and the pin has to be changed with its certificate.')}</Text>
						<Group>
							<Button size="compact-sm" onClick={() => onPin(shown.fingerprint)} disabled={value.fingerprint === shown.fingerprint}>
								{value.fingerprint === shown.fingerprint ? t('Pinned') : t('It is the right one: pin it')}
							</Button>
						</Group>
					</Stack>
				</Notice>
			)}
		</Stack>
	)
}

/** url: where the integration goes, when that is known: then its certificate can be looked at. */
export function ConnectionFields({ value, onChange, error, url }: { value: Connection; onChange: (c: Connection) => void; error?: React.ReactNode; url?: string | undefined }) {
	const own = connectionBody(value) !== null
	const [open, setOpen] = useState(own || !!error)
	const shown = open || !!error
	const set = (more: Partial<Connection>) => onChange({ ...value, ...more })
	return (
		<div>
			<UnstyledButton className="unfold" aria-expanded={shown} onClick={() => setOpen(!shown)}>
				<Icon name="right" size={14} />
				{t('Connection')}
				<span className="quiet">{own ? t('of its own') : t('as the server’s configuration says')}</span>
			</UnstyledButton>
			<Collapse expanded={shown}>
				<Stack gap="md" pt="sm">
					{error && <Notice tone="bad">{error}</Notice>}
					<Select
						label={t('Route')}
						data={[
							{ value: 'default', label: t('As the configuration says') },
							{ value: 'proxy', label: t('Through the proxy') },
							{ value: 'direct', label: t('Direct, without a proxy') },
						]}
						value={value.route}
						onChange={(v) => set({ route: v ?? 'default' })}
					/>
					<TextInput label={t('Private networks that are meant')} classNames={{ input: 'mono' }} spellCheck={false} placeholder="10.1.0.0/16" description={t('Only when its host has a private address: the networks it may be in. This counts for this host and port alone.')} value={value.allow} onChange={(e) => set({ allow: e.currentTarget.value })} />
					<Textarea label={t('Own certificate authority')} autosize minRows={2} maxRows={8} classNames={{ input: 'mono' }} spellCheck={false} placeholder="-----BEGIN CERTIFICATE-----" description={t('Trusted for this host instead of the public ones, as PEM text.')} value={value.ca_pem} onChange={(e) => set({ ca_pem: e.currentTarget.value })} />
					<TextInput label={t('Pinned certificate')} classNames={{ input: 'mono' }} spellCheck={false} placeholder="AB:12:…" description={t('SHA-256 fingerprint of the host’s certificate; then nothing else of it is checked.')} value={value.fingerprint} onChange={(e) => set({ fingerprint: e.currentTarget.value })} />
					{url !== undefined && <LookAtHost url={url.trim()} value={value} onPin={(fingerprint) => set({ fingerprint })} />}
				</Stack>
			</Collapse>
		</div>
	)
}
