// SPDX-License-Identifier: Apache-2.0
// Renewals: the schedule, what one certificate's renewal is up to, stopping all of it, revoking, and what somebody has to know.
import { Button, Checkbox, Group, NativeSelect, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { api, ApiError, asError, remove, unwrap, type CertificateDetail, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { plural, t } from '../i18n'
import { Because, dateText, distance, Empty, Facts, Names, Notice, Relative, sentence, Time, Tone } from '../parts/bits'
import { AcceptCost, Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card, Page } from '../parts/page'
import { DataTable, PlainTable } from '../parts/table'
import { ManageButton } from './manage'

type Renewal = Schemas['Renewal']
type RowResults = Schemas['RowResults']

/** The first refusal of a request about many, as an error to show. */
function refused(r: RowResults): ApiError | null {
	const reason = r.items.find((i) => i.reason)?.reason
	return reason ? new ApiError({ type: `urn:certwright:error:${reason.code}`, title: reason.title, status: 409, detail: reason.chain.join(': ') || (reason.detail ?? ''), hint: reason.hint, remote: reason.remote }) : null
}

async function renew(ids: string[], accept_cost: boolean) {
	const r = await unwrap(api.POST('/renewals', { body: { certificate_ids: ids, accept_cost } }))
	const error = refused(r)
	if (error) throw error
	return r
}

/** Refused because the authority would charge for it. */
function isCost(e: unknown): boolean {
	return asError(e).problem.type === 'urn:certwright:error:needs-person'
}

function whyText(r: Renewal): string {
	switch (r.why) {
		case 'ari':
			return t('a moment in the window that the authority suggests')
		case 'recall':
			return t('the authority wants it replaced now')
		case 'revocation':
			return t('it was revoked')
		default:
			return t('a share of its lifetime is left')
	}
}

function waitsText(r: Renewal): string | null {
	switch (r.waits) {
		case 'person':
			return t('waits for you: its names are validated by hand')
		case 'csr':
			return t('waits for a new CSR')
		case 'account':
			return t('waits for its account')
		case 'permission':
			return t('waits for permission: it costs money')
		case 'window':
			return t('waits for its maintenance window')
		default:
			return null
	}
}

export function RenewalState({ renewal: r }: { renewal: Renewal }) {
	if (r.paused) return <Tone tone="bad">{t('paused')}</Tone>
	if (r.order_id) return <Tone tone="busy" title={sentence(r.order_stage ?? '')}>{t('under way')}</Tone>
	const waits = waitsText(r)
	if (waits) return <Tone tone={r.waits === 'window' ? 'calm' : 'warn'} title={sentence(waits)}>{t('waits')}</Tone>
	if (r.failures) return <Tone tone="bad" title={r.reason?.detail ?? undefined}>{plural(r.failures, 'failed once', 'failed {n} times')}</Tone>
	return <Tone tone="good">{t('planned')}</Tone>
}

/* ---- all automatic renewals ---- */

export function usePause() {
	return useQuery({ queryKey: ['renewals', 'pause'], queryFn: () => unwrap(api.GET('/renewal-pause')) })
}

/** In red wherever somebody looks, as long as nothing is renewed by itself. */
export function PauseBanner() {
	const may = useMay()
	const pause = usePause()
	const { busy, act } = useAct()
	const p = pause.data
	if (!p?.stopped) return null
	return (
		<Notice tone="bad">
			<Group justify="space-between" gap="sm">
				<div>
					<strong>{p.until ? t('All automatic renewals are stopped until {when}.', { when: dateText(p.until) }) : t('All automatic renewals are stopped.')}</strong>
					<Text size="sm">{t('{name}, {when}: {reason}', { name: p.by ?? '', when: p.since ? distance(p.since) : '', reason: p.reason ?? '' })}</Text>
				</div>
				{may('order') && (
					<Button color="red" variant="outline" loading={busy === 'resume'} onClick={() => void act('resume', () => unwrap(api.PUT('/renewal-pause', { body: { stopped: false } })), t('Automatic renewals go on.'), ['renewals', 'notices'])}>
						{t('Resume')}
					</Button>
				)}
			</Group>
		</Notice>
	)
}

function PauseDialog({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm({ initialValues: { reason: '', until: '' }, validate: { reason: (v) => (v.trim() ? null : t('Say why; everybody sees it.')) } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		await unwrap(api.PUT('/renewal-pause', { body: { stopped: true, reason: v.reason.trim(), ...(v.until ? { until: new Date(v.until).toISOString() } : {}) } }))
		void client.invalidateQueries({ queryKey: ['renewals'] })
		void client.invalidateQueries({ queryKey: ['notices'] })
		notifications.show({ message: t('All automatic renewals are stopped.'), color: 'red' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Stop all automatic renewals')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Stop renewals')} size="md">
			<Text>{t('No certificate is renewed by itself until you resume. What people order goes on.')}</Text>
			<TextInput label={t('Reason')} description={t('For example: network change, see ticket 4711.')} {...form.getInputProps('reason')} />
			<TextInput type="datetime-local" label={t('Until')} description={t('They resume by themselves then. Empty: until somebody resumes.')} {...form.getInputProps('until')} />
		</FormDialog>
	)
}

/* ---- the schedule ---- */

export function SchedulePage() {
	const may = useMay()
	const pause = usePause()
	const [stopping, setStopping] = useState(false)
	return (
		<Page
			title={t('Renewals')}
			crumbs={[{ text: t('Certificates'), href: '/certificates' }]}
			actions={
				may('order') &&
				!pause.data?.stopped && (
					<Button variant="default" onClick={() => setStopping(true)}>
						{t('Stop all renewals')}
					</Button>
				)
			}
		>
			<PauseBanner />
			<DataTable<Renewal>
				label={t('Renewals')}
				queryKey={['renewals', 'list']}
				read={({ limit, cursor }) => unwrap(api.GET('/renewals', { params: { query: { limit, cursor } } }))}
				rowKey={(r) => r.certificate_id}
				empty={<Empty title={t('Nothing to renew')}>{t('Every certificate that is managed here stands here with the moment of its renewal.')}</Empty>}
				columns={[
					{ title: t('No.'), nowrap: true, render: (r) => <Link href={`/certificates/${r.certificate_num}`}>{r.certificate_num}</Link> },
					{ title: t('Names'), render: (r) => <Link href={`/certificates/${r.certificate_num}`}><Names names={r.names} display={r.display_names} /></Link> },
					{ title: t('State'), render: (r) => <RenewalState renewal={r} /> },
					{
						title: t('Renews'),
						render: (r) => (
							<>
								<Time at={r.renew_at} />
								{r.renew_at && (
									<Text c="dimmed" size="xs">
										<Relative at={r.renew_at} coming />
									</Text>
								)}
							</>
						),
					},
					{ title: t('Because'), render: (r) => <Text size="sm">{sentence(waitsText(r) ?? whyText(r))}</Text> },
					{ title: t('Order'), render: (r) => (r.order_id ? <Link href={`/orders/${r.order_num}`}>{t('Order {n}', { n: r.order_num ?? 0 })}</Link> : '–') },
					{ title: t('Next attempt'), render: (r) => <Time at={r.next_attempt_at} /> },
					{ title: t('Expires'), render: (r) => <Time at={r.not_after} show="date" /> },
				]}
			/>
			<WindowsCard />
			{stopping && <PauseDialog onClose={() => setStopping(false)} />}
		</Page>
	)
}

/* ---- maintenance windows ---- */

type RenewalWindow = Schemas['RenewalWindow']

function WindowsCard() {
	const may = useMay()
	const windows = useQuery({ queryKey: ['renewals', 'windows'], queryFn: () => unwrap(api.GET('/renewal-windows')) })
	const [making, setMaking] = useState(false)
	const [deleting, setDeleting] = useState<RenewalWindow | null>(null)
	const items = windows.data?.items ?? []
	return (
		<Card
			title={t('Maintenance windows')}
			pad={items.length === 0}
			actions={
				may('order') && (
					<Button size="xs" variant="default" onClick={() => setMaking(true)}>
						{t('New window')}
					</Button>
				)
			}
		>
			{items.length === 0 ? (
				<Text c="dimmed">{t('None: a certificate is renewed whenever its time has come.')}</Text>
			) : (
				<PlainTable<RenewalWindow>
					label={t('Maintenance windows')}
					rows={items}
					rowKey={(w) => w.id}
					columns={[
						{ title: t('Name'), render: (w) => <>{w.name} {w.is_default && <Tone tone="calm" plain>{t('default')}</Tone>}{w.tag && <Tone tone="calm" plain>{t('tag {tag}', { tag: w.tag })}</Tone>}</> },
						{ title: t('Begins'), render: (w) => <span className="mono">{w.cron}</span> },
						{ title: t('Zone'), render: (w) => w.zone },
						{ title: t('Lasts'), render: (w) => plural(w.minutes, '{n} minute', '{n} minutes') },
						{ title: t('Opens'), render: (w) => (w.open ? <Tone tone="good">{t('open')}</Tone> : <Time at={w.next_at} />) },
						{ title: t('Delete'), hideTitle: true, render: (w) => may('order') && <Button size="compact-sm" variant="subtle" color="red" onClick={() => setDeleting(w)}>{t('Delete')}</Button> },
					]}
				/>
			)}
			{making && <WindowDialog first={items.length === 0} onClose={() => setMaking(false)} />}
			{deleting && (
				<Confirm opened title={t('Delete maintenance window')} action={t('Delete')} onClose={() => setDeleting(null)} run={() => remove('/renewal-windows/{id}', deleting.id)} done={t('The window is deleted.')} reads={['renewals']}>
					{t('Renewals that waited for it go on at their next attempt.')}
				</Confirm>
			)}
		</Card>
	)
}

function WindowDialog({ first, onClose }: { first: boolean; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm({
		initialValues: { name: '', cron: '0 2 * * sat', minutes: '240', zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC', tag: '', is_default: first },
		validate: { name: (v) => (v.trim() ? null : t('Give it a name.')), minutes: (v) => (/^\d+$/.test(v) && Number(v) >= 10 && Number(v) <= 10_080 ? null : t('Between 10 minutes and a week (10080).')) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		await unwrap(api.POST('/renewal-windows', { body: { name: v.name.trim(), cron: v.cron.trim(), minutes: Number(v.minutes), zone: v.zone.trim(), ...(v.tag.trim() ? { tag: v.tag.trim() } : {}), is_default: v.is_default && !v.tag.trim() } }))
		void client.invalidateQueries({ queryKey: ['renewals'] })
		notifications.show({ message: t('The window is made.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('New maintenance window')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Make window')} size="md">
			<TextInput label={t('Name')} {...form.getInputProps('name')} />
			<TextInput label={t('Begins')} description={t('Minute, hour, day of the month, month, weekday: 0 2 * * sat is each Saturday at two.')} {...form.getInputProps('cron')} />
			<TextInput label={t('Minutes it lasts')} inputMode="numeric" {...form.getInputProps('minutes')} />
			<TextInput label={t('Time zone')} description={t('Whose clocks: Europe/Berlin, UTC.')} {...form.getInputProps('zone')} />
			<TextInput label={t('Tag')} description={t('For the certificates with this tag; empty: not by tag.')} {...form.getInputProps('tag')} />
			<Checkbox label={t('For all certificates without a window of their own')} disabled={!!form.values.tag.trim()} {...form.getInputProps('is_default', { type: 'checkbox' })} />
		</FormDialog>
	)
}

/* ---- one certificate ---- */

export function RenewButton({ certificate: c }: { certificate: CertificateDetail }) {
	const may = useMay()
	const { busy, act } = useAct()
	const [price, setPrice] = useState<ApiError | null>(null)
	if (!may('order') || !c.account_id || !c.validation) return null
	const done = t('The order is made and carried through by itself.')
	const reads = ['certificates', 'orders', 'renewals']
	/* The server says where it costs money; then a person is asked before anything is ordered. */
	const free = async () => {
		try {
			return await renew([c.id], false)
		} catch (e) {
			if (!isCost(e)) throw e
			setPrice(asError(e))
			return undefined
		}
	}
	return (
		<>
			<Button variant="default" leftSection={<Icon name="refresh" size={16} />} loading={busy === 'renew'} onClick={() => void act('renew', free, (r) => (r ? done : null), reads)}>
				{t('Renew')}
			</Button>
			{price && (
				<Confirm opened title={t('This renewal costs money')} action={t('Renew for money')} danger={false} onClose={() => setPrice(null)} run={() => renew([c.id], true)} done={done} reads={reads}>
					<Notice tone="warn" title={sentence(price.problem.detail ?? price.problem.title)}>
						{t('Each certificate of this vendor is charged to its customer account.')}
					</Notice>
				</Confirm>
			)}
		</>
	)
}

export function RenewalCard({ certificate: c }: { certificate: CertificateDetail }) {
	const may = useMay()
	const { busy, act } = useAct()
	const query = useQuery({ queryKey: ['certificates', 'renewal', c.id], queryFn: () => unwrap(api.GET('/certificates/{id}/renewal', { params: { path: { id: c.id } } })) })
	const r = query.data
	if (!r) return null
	const set = (name: string, body: Schemas['RenewalUpdate'], done: string) => act(name, () => unwrap(api.POST('/certificates/{id}/renewal', { params: { path: { id: c.id } }, body })), done, ['certificates', 'renewals', 'notices'])
	if (!c.managed)
		return (
			<Card title={t('Renewal')}>
				<Text c="dimmed">{t('This certificate is only watched. You are told before it expires; nothing renews it from here.')}</Text>
				<Group gap="xs" mt="sm">
					<ManageButton certificate={c} />
				</Group>
			</Card>
		)
	return (
		<Card title={t('Renewal')}>
			<Facts
				rows={[
					[t('State'), <RenewalState key="s" renewal={r} />],
					[t('Renews'), r.renew_at ? <span key="r"><Time at={r.renew_at} /> (<Relative at={r.renew_at} coming />)</span> : '–'],
					[t('Because'), sentence(waitsText(r) ?? whyText(r))],
					...(r.window_start ? ([[t('Suggested window'), <span key="w"><Time at={r.window_start} /> – <Time at={r.window_end} /></span>]] as [string, React.ReactNode][]) : []),
					...(r.explanation_url ? ([[t('The authority explains'), <a key="e" href={r.explanation_url} rel="noreferrer" target="_blank" className="break">{r.explanation_url}</a>]] as [string, React.ReactNode][]) : []),
					...(r.order_id ? ([[t('Under way'), <Link key="o" href={`/orders/${r.order_num}`}>{t('Order {n}', { n: r.order_num ?? 0 })} · {sentence(r.order_stage ?? '')}</Link>]] as [string, React.ReactNode][]) : []),
					...(r.next_attempt_at && r.failures ? ([[t('Next attempt'), <Time key="n" at={r.next_attempt_at} />]] as [string, React.ReactNode][]) : []),
					...(r.failing_since ? ([[t('Failing since'), <Time key="f" at={r.failing_since} />]] as [string, React.ReactNode][]) : []),
					[t('Maintenance window'), <OwnWindow key="m" renewal={r} onSet={(id) => void set('window', { window_id: id }, t('The window is set.'))} />],
					[t('Key'), r.key_policy === 'new' ? t('a new one each time') : t('the same CSR for {n} days', { n: r.key_max_days })],
				]}
			/>
			{may('order') && r.key_policy === 'reuse' && <KeyAge key={r.key_max_days} renewal={r} onSet={(n) => void set('age', { key_max_days: n }, t('The age is set.'))} />}
			{r.reason && <Because reason={r.reason} tone={r.paused ? 'bad' : 'warn'} />}
			{may('order') && (
				<Group gap="xs" mt="sm">
					<ManageButton certificate={c} />
					{(r.paused || r.failures > 0 || r.waits !== 'nothing') && (
						<Button size="xs" variant="default" loading={busy === 'retry'} onClick={() => void set('retry', { retry: true }, t('It is looked at again now.'))}>
							{t('Try again now')}
						</Button>
					)}
					{r.waiting_to_be_installed_since && (
						<Button size="xs" variant="default" loading={busy === 'installed'} onClick={() => void set('installed', { installed: true }, t('Marked as installed.'))}>
							{t('Mark as installed')}
						</Button>
					)}
				</Group>
			)}
		</Card>
	)
}

/** Its own window; without one the window of a tag, or the default one. */
function OwnWindow({ renewal: r, onSet }: { renewal: Renewal; onSet: (id: string) => void }) {
	const may = useMay()
	const windows = useQuery({ queryKey: ['renewals', 'windows'], queryFn: () => unwrap(api.GET('/renewal-windows')) })
	const items = windows.data?.items ?? []
	const own = items.find((w) => w.id === r.window_id)
	if (!may('order') || items.length === 0) return own ? own.name : items.length ? t('by its tags, or the default one') : t('none: whenever its time has come')
	return <NativeSelect size="xs" aria-label={t('Maintenance window')} value={own?.id ?? ''} onChange={(e) => onSet(e.currentTarget.value)} data={[{ value: '', label: t('by its tags, or the default one') }, ...items.map((w) => ({ value: w.id, label: w.name }))]} />
}

/** How long a CSR whose key is elsewhere is used again. */
function KeyAge({ renewal: r, onSet }: { renewal: Renewal; onSet: (days: number) => void }) {
	const [days, setDays] = useState(String(r.key_max_days))
	const good = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= 36_500
	return (
		<Group gap="xs" mt="sm" align="flex-end">
			<TextInput size="xs" w={200} label={t('Days its CSR is used again')} inputMode="numeric" value={days} onChange={(e) => setDays(e.currentTarget.value)} error={good ? null : t('1 to 36500 days.')} />
			<Button size="xs" variant="default" disabled={!good || Number(days) === r.key_max_days} onClick={() => onSet(Number(days))}>
				{t('Set')}
			</Button>
		</Group>
	)
}

/* ---- revocation ---- */

type Reason = NonNullable<Schemas['RevocationCreate']['reason']>

export function RevokeButton({ certificate: c }: { certificate: CertificateDetail }) {
	const may = useMay()
	const [open, setOpen] = useState(false)
	if (!may('revoke') || !c.account_id || !c.serial || c.status === 'revoked') return null
	return (
		<>
			<Button variant="subtle" color="red" onClick={() => setOpen(true)}>
				{t('Revoke')}
			</Button>
			{open && <RevokeDialog certificate={c} onClose={() => setOpen(false)} />}
		</>
	)
}

function RevokeDialog({ certificate: c, onClose }: { certificate: CertificateDetail; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm({ initialValues: { reason: 'unspecified' as Reason | '', by_key: false, replace: c.managed, accept_cost: false } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const r = await unwrap(api.POST('/revocations', { body: { certificate_ids: [c.id], by_key: v.by_key, replace: v.replace, ...(v.accept_cost ? { accept_cost: true } : {}), ...(v.reason ? { reason: v.reason } : {}) } }))
		const no = refused(r)
		if (no) throw no
		for (const key of ['certificates', 'jobs', 'orders', 'renewals']) void client.invalidateQueries({ queryKey: [key] })
		notifications.show({ message: v.replace ? t('It is renewed first, and revoked when the new one is there.') : t('It is being revoked; the job tells how it went.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Revoke certificate')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Revoke')} size="md">
			<Notice tone="warn">{t('Whoever checks revocation refuses it from then on, wherever it is installed. This cannot be undone.')}</Notice>
			<NativeSelect
				label={t('Reason')}
				data={[
					{ value: 'unspecified', label: t('Unspecified') },
					{ value: 'key-compromise', label: t('The key may be in other hands') },
					{ value: 'superseded', label: t('It was replaced') },
					{ value: 'cessation-of-operation', label: t('It is not used any more') },
					{ value: '', label: t('Give none') },
				]}
				{...form.getInputProps('reason')}
			/>
			{c.managed && <Checkbox label={t('Replace it first')} description={t('Renewed with a new key; revoked only when the new certificate is there.')} {...form.getInputProps('replace', { type: 'checkbox' })} />}
			{form.values.replace && (isCost(error) || form.values.accept_cost) && <AcceptCost {...form.getInputProps('accept_cost', { type: 'checkbox' })} />}
			{c.has_key && <Checkbox label={t('Sign with the key of the certificate')} description={t('For accounts that are gone; otherwise the account signs.')} {...form.getInputProps('by_key', { type: 'checkbox' })} />}
		</FormDialog>
	)
}

/* ---- notices ---- */

export function NoticesCard() {
	const notices = useQuery({ queryKey: ['notices'], queryFn: () => unwrap(api.GET('/notices')) })
	const items = notices.data?.items.filter((n) => n.kind !== 'renewals-stopped') ?? []
	if (items.length === 0) return null
	return (
		<Card title={t('About renewals')} pad={false}>
			<ul className="rows">
				{items.map((n) => {
					const first = n.certificates[0]
					return (
						<li key={n.id}>
							<div>
								{sentence(n.cause)}
								{n.next_step && (
									<Text size="sm" c="dimmed">
										{n.next_step}
									</Text>
								)}
								{first && (
									<Text size="sm">
										<Link href={n.touched > 1 ? '/renewals' : `/certificates/${first.num}`}>{n.touched > 1 ? plural(n.touched, '{n} certificate', '{n} certificates') : (first.display_names[0] ?? '')}</Link>
										{n.first_expiry && <> · {t('the first expires {when}', { when: distance(n.first_expiry) })}</>}
									</Text>
								)}
							</div>
							<Tone tone={n.kind === 'recall' || n.kind === 'renewal-paused' || n.kind === 'renewal-not-tried' ? 'bad' : 'warn'}>{n.kind.replaceAll('-', ' ')}</Tone>
						</li>
					)
				})}
			</ul>
		</Card>
	)
}
