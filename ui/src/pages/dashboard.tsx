// SPDX-License-Identifier: Apache-2.0
// What needs a person, what is in flight, what expires, and how the server is. Empty, it leads to the first certificate.
import { Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { api, unwrap, type Account, type Certificate, type Order, type Status } from '../api/client'
import { useMay } from '../api/session'
import { every } from '../api/awake'
import { t } from '../i18n'
import { distance, Failure, Health, isLive, LinkButton, Names, OrderStatus, Relative, sentence, Time, Tone, waitsForPerson } from '../parts/bits'
import { ExpiryChart } from '../parts/expiry-chart'
import { Icon } from '../parts/icon'
import { LIVE, useLiveOrders } from '../parts/live-orders'
import { Card, Page } from '../parts/page'
import { TOLD } from './door'
import { NoticesCard, PauseBanner } from './renewals'

interface Need {
	key: string
	text: string
	more?: string
	href: string
	tone: 'bad' | 'warn'
	label: string
}

/** A lane is named for machines: "vendor:" and a host. A person knows the vendor. */
function laneName(lane: string, accounts: Account[]): string {
	const [kind, rest] = [lane.slice(0, lane.indexOf(':')), lane.slice(lane.indexOf(':') + 1)]
	if (kind !== 'vendor') return lane
	return accounts.find((a) => a.vendor === rest || a.directory_url.includes(`//${rest}`))?.vendor_title ?? rest
}

function laneReason(reason: unknown): string | undefined {
	const r = (reason ?? {}) as { detail?: unknown; remote?: unknown }
	const words = [r.detail, r.remote].filter((x): x is string => typeof x === 'string' && x !== '')
	return words.length ? words.join(' — ') : undefined
}

function needs(status: Status | undefined, live: Order[], failed: Order[], certificates: Certificate[], accounts: Account[]): Need[] {
	const out: Need[] = []
	if (status && !status.store.writable) out.push({ key: 'store', tone: 'bad', label: t('server'), text: t('The store cannot be written.'), more: status.store.reason, href: '/admin/status' })
	if (status?.edge.configured && !status.edge.loaded) out.push({ key: 'edge', tone: 'bad', label: t('server'), text: t('The public DNS and HTTP listener is not there; validation cannot succeed.'), href: '/admin/status' })
	for (const l of status?.lanes ?? [])
		if (l.parked_until) out.push({ key: `lane-${l.name}`, tone: 'warn', label: t('paused'), text: t('{lane} is paused; it goes on {when}.', { lane: laneName(l.name, accounts), when: distance(l.parked_until) }), more: laneReason(l.reason), href: '/admin/status' })
	for (const o of live)
		if (waitsForPerson(o)) {
			const what = o.set_aside ? t('is set aside; look at why') : o.stage === 'ready to finalize' ? t('is ready to finalize') : t('waits for a record that you set')
			out.push({ key: o.id, tone: 'warn', label: t('waiting for you'), text: t('Order {n} for {name} {what}', { n: o.num, name: o.display_names[0] ?? '', what }), more: o.reason?.detail ?? undefined, href: `/orders/${o.num}` })
		}
	for (const o of failed) out.push({ key: o.id, tone: 'bad', label: t('failed'), text: t('Order {n} for {name} failed', { n: o.num, name: o.display_names[0] ?? '' }), more: o.reason?.remote ?? o.reason?.detail ?? undefined, href: `/orders/${o.num}` })
	for (const c of certificates)
		if (c.health === 'expired' || c.health === 'set-aside' || (c.health === 'expiring' && !c.managed))
			out.push({ key: c.id, tone: c.health === 'expired' ? 'bad' : 'warn', label: c.health, text: c.health === 'set-aside' ? t('The certificate of {name} was refused and set aside', { name: c.display_names[0] ?? '' }) : t('The certificate of {name} {what}', { name: c.display_names[0] ?? '', what: c.health === 'expired' ? t('has expired') : t('expires and nothing renews it') }), more: c.not_after ? distance(c.not_after) : undefined, href: `/certificates/${c.num}` })
	return out
}

const WEEK = 7 * 86_400_000

export function DashboardPage() {
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')), refetchInterval: every(30_000) })
	const live = useLiveOrders()
	const failed = useQuery({ queryKey: ['orders', 'failed'], queryFn: () => unwrap(api.GET('/orders', { params: { query: { status: 'invalid', limit: 10 } } })) })
	const expiring = useQuery({ queryKey: ['certificates', 'expiring'], queryFn: () => unwrap(api.GET('/certificates', { params: { query: { sort: 'expires', limit: 50 } } })) })
	const accounts = useQuery({ queryKey: ['accounts', 'first'], queryFn: () => unwrap(api.GET('/accounts', { params: { query: { limit: 50 } } })) })

	const error = status.error ?? live.error ?? expiring.error
	if (error && !status.data)
		return (
			<Page title={t('Dashboard')}>
				<Failure error={error} retry={() => void status.refetch()} />
			</Page>
		)
	const s = status.data
	const certificates = expiring.data?.items ?? []
	const loaded = s && live.data && expiring.data && accounts.data && failed.data
	if (!loaded)
		return (
			<Page title={t('Dashboard')}>
				<Skeleton height={82} />
				<Skeleton height={240} />
			</Page>
		)
	const counts = s.orders
	const moving = LIVE.reduce((n, k) => n + (counts[k] ?? 0), 0)
	const recentlyFailed = failed.data.items.filter((o) => Date.now() - new Date(o.created_at).getTime() < WEEK)
	const need = needs(s, live.data, recentlyFailed, certificates, accounts.data.items)
	const fresh = certificates.length === 0

	return (
		<Page title={t('Dashboard')}>
			<div className="counts">
				<CountCard n={need.length} text={t('need you')} href="#need" />
				<CountCard n={moving} text={t('orders in flight')} href="/orders" />
				<CountCard n={counts.valid ?? 0} text={t('orders valid')} href="/orders?status=valid" />
				<CountCard n={s.certificates.expiring} text={t('expire within 30 days')} href="/certificates?sort=expires" />
			</div>
			<PauseBanner />
			{fresh && <FirstSteps account={accounts.data.items.some((a) => a.status === 'valid')} trial={s.trial_directory !== null} order={moving + (counts.valid ?? 0) + (counts.invalid ?? 0) > 0} />}
			<div className="split">
				<Stack gap="md">
					<section id="need" className="card" aria-label={t('Needs you')}>
						<div className="card-head">
							<Title order={2}>{t('Needs you')}</Title>
						</div>
						{need.length === 0 ? (
							<Text c="dimmed" className="card-pad">
								{t('Nothing. Orders and renewals go on by themselves.')}
							</Text>
						) : (
							<ul className="rows">
								{need.slice(0, 12).map((n) => (
									<li key={n.key}>
										<div>
											<Link href={n.href}>{n.text}</Link>
											{n.more && (
												<Text size="sm" c="dimmed" lineClamp={2}>
													{sentence(n.more)}
												</Text>
											)}
										</div>
										<Tone tone={n.tone}>{n.label}</Tone>
									</li>
								))}
							</ul>
						)}
					</section>
					<NoticesCard />
					{!fresh && <ExpiryChart />}
					<Card title={t('Orders in flight')} pad={false} actions={<Link href="/orders">{t('All orders')}</Link>}>
						{live.data.length === 0 ? (
							<Text c="dimmed" className="card-pad">
								{t('None at the moment.')}
							</Text>
						) : (
							<ul className="rows">
								{live.data.filter(isLive).slice(0, 8).map((o) => (
									<li key={o.id}>
										<div>
											<Link href={`/orders/${o.num}`}>
												{t('Order {n}', { n: o.num })} · <Names names={o.names} display={o.display_names} most={1} />
											</Link>
											<Text size="sm" c="dimmed">
												{o.vendor_title} · {o.validation} · {sentence(o.stage)}
											</Text>
										</div>
										<OrderStatus order={o} />
									</li>
								))}
							</ul>
						)}
					</Card>
				</Stack>
				<Stack gap="md">
					<Card title={t('Next to expire')} pad={false} actions={<Link href="/certificates?sort=expires">{t('All certificates')}</Link>}>
						{certificates.length === 0 ? (
							<Text c="dimmed" className="card-pad">
								{t('No certificate yet.')}
							</Text>
						) : (
							<ul className="rows">
								{certificates.slice(0, 7).map((c) => (
									<li key={c.id}>
										<div>
											<Link href={`/certificates/${c.num}`}>{c.display_names[0] ?? c.names[0]}</Link>
											<Text size="sm" c="dimmed">
												{c.not_after ? <Relative at={c.not_after} /> : t('no certificate yet')}
											</Text>
										</div>
										<Health certificate={c} />
									</li>
								))}
							</ul>
						)}
					</Card>
					<VendorHealth accounts={accounts.data.items} status={s} />
					<Card title={t('Server')} pad={false} actions={<Link href="/admin/status">{t('Status')}</Link>}>
						<ul className="rows">
							<li>
								<span>{t('Store')}</span>
								<Tone tone={s.store.writable ? 'good' : 'bad'}>{s.store.writable ? t('writable') : t('not writable')}</Tone>
							</li>
							<li>
								<span>{t('DNS and HTTP listener')}</span>
								{s.edge.configured ? <Tone tone={s.edge.loaded ? 'good' : 'bad'}>{s.edge.loaded ? t('answering') : s.edge.connected ? t('loading') : t('not there')}</Tone> : <Tone tone="calm">{t('not offered')}</Tone>}
							</li>
							<li>
								<span>{t('Running since')}</span>
								<Time at={s.started_at} />
							</li>
						</ul>
					</Card>
				</Stack>
			</div>
		</Page>
	)
}

/** Each vendor that has an account here: whether it is asked, or why not and until when. */
function VendorHealth({ accounts, status }: { accounts: Account[]; status: Status }) {
	const vendors = new Map<string, Account[]>()
	for (const a of accounts) vendors.set(a.vendor_title, [...(vendors.get(a.vendor_title) ?? []), a])
	if (!vendors.size) return null
	return (
		<Card title={t('Vendors')} pad={false} actions={<Link href="/accounts">{t('Accounts')}</Link>}>
			<ul className="rows">
				{[...vendors].map(([title, own]) => {
					const lane = status.lanes.find((l) => l.parked_until && laneName(l.name, own) === title)
					const bad = own.filter((a) => a.status === 'invalid').length
					return (
						<li key={title}>
							<div>
								<span className="break">{title}</span>
								{lane?.parked_until && (
									<Text size="sm" c="dimmed" lineClamp={2}>
										{[laneReason(lane.reason), t('It goes on {when}.', { when: distance(lane.parked_until) })].filter(Boolean).join(' ')}
									</Text>
								)}
							</div>
							{lane ? <Tone tone="warn">{t('paused')}</Tone> : bad === own.length ? <Tone tone="bad">{t('no valid account')}</Tone> : <Tone tone="good">{t('in use')}</Tone>}
						</li>
					)
				})}
			</ul>
		</Card>
	)
}

function CountCard({ n, text, href }: { n: number; text: string; href: string }) {
	const inner = (
		<>
			<b>{n}</b>
			<span>{text}</span>
		</>
	)
	return href.startsWith('#') ? (
		<a className="card count" href={href}>
			{inner}
		</a>
	) : (
		<Link className="card count" href={href}>
			{inner}
		</Link>
	)
}

function FirstSteps({ account, order, trial }: { account: boolean; order: boolean; trial: boolean }) {
	const may = useMay()
	const one = { params: { query: { limit: 1 } } }
	const channels = useQuery({ queryKey: ['channels', 'any'], queryFn: () => unwrap(api.GET('/channels', one)) })
	const delegations = useQuery({ queryKey: ['delegations', 'any'], queryFn: () => unwrap(api.GET('/delegations', one)) })
	const providers = useQuery({ queryKey: ['providers', 'any'], queryFn: () => unwrap(api.GET('/providers', one)) })
	const csrs = useQuery({ queryKey: ['csrs', 'any'], queryFn: () => unwrap(api.GET('/csrs', one)) })
	const some = (q: { data?: { items: unknown[] } }) => (q.data?.items.length ?? 0) > 0
	const told = some(channels)
	const way = some(delegations) || some(providers)
	const csr = some(csrs)
	const steps: { done: boolean; title: string; text: string; action: React.ReactNode }[] = [
		{ done: told, title: t('Say who is told when something goes wrong'), text: t('People by mail, programs by a signed webhook; a test is sent at once.'), action: may('admin') && !told && <LinkButton href={TOLD} variant="default">{t('Add channel')}</LinkButton> },
		{ done: account, title: t('Register an account'), text: trial ? t('At the trial authority of this server, at Let’s Encrypt, another vendor, or any ACME directory.') : t('At Let’s Encrypt, another vendor, or any ACME directory.'), action: may('account') && !account && <LinkButton href="/accounts?register">{t('Register')}</LinkButton> },
		{ done: way || order, title: t('Choose how names are validated'), text: t('By delegation Certwright answers itself; External DNS writes records for you; HTTP and records set by hand need nothing here. An order may choose, too.'), action: may('order') && !way && !order && <LinkButton href="/dns-domains/delegations" variant="default">{t('Delegations')}</LinkButton> },
		{ done: csr || order, title: t('Create a CSR, or let the order make it'), text: t('With organisation fields, or for a key that stays on its device. Without one the order makes key and CSR from the names.'), action: may('order') && !csr && !order && <LinkButton href="/csrs?create" variant="default">{t('Create CSR')}</LinkButton> },
		{ done: false, title: t('Order a certificate'), text: t('Give the names; the order tells what it does, and what to set in DNS if something is needed from you.'), action: order ? <LinkButton href="/orders">{t('Orders')}</LinkButton> : may('order') && account && <LinkButton href="/orders?create">{t('Create ACME Order')}</LinkButton> },
	]
	return (
		<Card title={t('To the first certificate')} pad={false}>
			<ol className="steps">
				{steps.map((s, i) => (
					<li key={s.title}>
						<span className="step-mark" data-done={s.done || undefined}>
							{s.done ? <Icon name="check" size={15} /> : i + 1}
						</span>
						<div className="step-text">
							<Text fw={600}>
								{s.title}
								{s.done && <span className="mantine-visually-hidden-static"> ({t('done')})</span>}
							</Text>
							<Text c="dimmed">{s.text}</Text>
						</div>
						{s.action}
					</li>
				))}
			</ol>
		</Card>
	)
}
