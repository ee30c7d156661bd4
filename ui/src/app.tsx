// SPDX-License-Identifier: Apache-2.0
// The frame: navigation by the page tree, who is signed in, whether the server is reached; and which page stands inside.
import { ActionIcon, Button, Loader, Menu, Text, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import { useLink } from './api/live'
import { useAuth, useMay, useSession, type Permission } from './api/session'
import { language, LANGUAGES, switchLanguage, t } from './i18n'
import { Empty, LinkButton, Notice, waitsForPerson } from './parts/bits'
import { Icon, Mark, type IconName } from './parts/icon'
import { useLiveOrders } from './parts/live-orders'
import { Page } from './parts/page'
import { Palette, usePalette, type Target } from './parts/palette'
import { Warnings } from './parts/warnings'
import { cameByLink, Door, Setup, SignIn, TOLD } from './pages/door'

const DashboardPage = lazy(() => import('./pages/dashboard').then((m) => ({ default: m.DashboardPage })))
const AccountsPage = lazy(() => import('./pages/accounts').then((m) => ({ default: m.AccountsPage })))
const OrdersPage = lazy(() => import('./pages/orders').then((m) => ({ default: m.OrdersPage })))
const OrderPage = lazy(() => import('./pages/order').then((m) => ({ default: m.OrderPage })))
const DnsDomainsPage = lazy(() => import('./pages/dns-domains').then((m) => ({ default: m.DnsDomainsPage })))
const HttpChallengePage = lazy(() => import('./pages/http-challenge').then((m) => ({ default: m.HttpChallengePage })))
const ExternalDnsPage = lazy(() => import('./pages/external-dns').then((m) => ({ default: m.ExternalDnsPage })))
const NotificationsPage = lazy(() => import('./pages/notifications').then((m) => ({ default: m.NotificationsPage })))
const ToldPage = lazy(() => import('./pages/told').then((m) => ({ default: m.ToldPage })))
const CertificatesPage = lazy(() => import('./pages/certificates').then((m) => ({ default: m.CertificatesPage })))
const CertificatePage = lazy(() => import('./pages/certificates').then((m) => ({ default: m.CertificatePage })))
const SchedulePage = lazy(() => import('./pages/renewals').then((m) => ({ default: m.SchedulePage })))
const CsrsPage = lazy(() => import('./pages/csrs').then((m) => ({ default: m.CsrsPage })))
const CsrPage = lazy(() => import('./pages/csrs').then((m) => ({ default: m.CsrPage })))
const ActivityPage = lazy(() => import('./pages/activity').then((m) => ({ default: m.ActivityPage })))
const UsersPage = lazy(() => import('./pages/admin').then((m) => ({ default: m.UsersPage })))
const TokensPage = lazy(() => import('./pages/admin').then((m) => ({ default: m.TokensPage })))
const NetworkPage = lazy(() => import('./pages/network').then((m) => ({ default: m.NetworkPage })))
const VendorsPage = lazy(() => import('./pages/vendors').then((m) => ({ default: m.VendorsPage })))
const StatusPage = lazy(() => import('./pages/status').then((m) => ({ default: m.StatusPage })))
const PasswordDialog = lazy(() => import('./pages/admin').then((m) => ({ default: m.PasswordDialog })))

export function App() {
	const { state, reload } = useAuth()
	if (state.at === 'loading')
		return (
			<div className="door" role="status" aria-label={t('Loading')}>
				<Loader />
			</div>
		)
	if (state.at === 'unreached')
		return (
			<Door title={t('The server was not reached')}>
				<Notice tone="warn">{t('The page tries again by itself every two seconds.')}</Notice>
				<Button mt="md" fullWidth onClick={() => void reload()}>
					{t('Try again')}
				</Button>
			</Door>
		)
	if (state.at === 'setup') return <Setup />
	if (state.at === 'signed-out') return cameByLink && !state.expired ? <Setup /> : <SignIn expired={state.expired} />
	return <SignedIn />
}

function SignedIn() {
	const [path] = useLocation()
	const may = useMay()
	if (path === TOLD && may('admin'))
		return (
			<Suspense fallback={<div className="door" role="status" aria-label={t('Loading')}><Loader /></div>}>
				<ToldPage />
			</Suspense>
		)
	return <Frame />
}

interface Place {
	href: string
	text: string
	icon: IconName
	needs?: Permission
	sub?: boolean
}

interface Group {
	group: string | null
	items: Place[]
}

/* The tree of pages, names to the letter; a place with `sub` stands beneath the one before it. */
function places(): Group[] {
	return [
		{ group: null, items: [{ href: '/', text: t('Dashboard'), icon: 'dashboard' }] },
		{
			group: t('Certificates'),
			items: [
				{ href: '/certificates', text: t('Certificates'), icon: 'certificate' },
				{ href: '/csrs', text: t('CSR'), icon: 'csr' },
				{ href: '/renewals', text: t('Renewals'), icon: 'refresh' },
			],
		},
		{
			group: t('Integrations › ACME'),
			items: [
				{ href: '/accounts', text: t('Accounts'), icon: 'account' },
				{ href: '/orders', text: t('Orders'), icon: 'order' },
				{ href: '/dns-domains', text: t('Acme DNS Domains'), icon: 'dns' },
				{ href: '/dns-domains/delegations', text: t('Delegations'), icon: 'dns', sub: true },
			],
		},
		{
			group: t('Integrations'),
			items: [
				{ href: '/external-dns', text: t('External DNS'), icon: 'zone' },
				{ href: '/http-challenge', text: t('HTTP challenge'), icon: 'web' },
			],
		},
		{
			group: t('Administration'),
			items: [
				{ href: '/notifications', text: t('Notifications'), icon: 'bell' },
				{ href: '/activity', text: t('Activity'), icon: 'activity' },
				{ href: '/admin/users', text: t('Users'), icon: 'users', needs: 'admin' },
				{ href: '/admin/tokens', text: t('API tokens'), icon: 'token' },
				{ href: '/admin/vendors', text: t('Vendors'), icon: 'vendor' },
				{ href: '/admin/network', text: t('Network'), icon: 'network' },
				{ href: '/admin/status', text: t('Status'), icon: 'status' },
			],
		},
	]
}

/* Where the palette can go, and what it can begin. */
function targets(may: (p: Permission) => boolean): Target[] {
	const pages = places().flatMap((g) => g.items.filter((i) => !i.needs || may(i.needs)).map((i): Target => ({ key: i.href, text: i.text, more: g.group ?? undefined, icon: i.icon, href: i.href })))
	const begin: (Target & { needs: Permission })[] = [
		{ key: 'create-order', text: t('Create ACME Order'), icon: 'plus', href: '/orders?create', needs: 'order' },
		{ key: 'create-csr', text: t('Create CSR'), icon: 'plus', href: '/csrs?create', needs: 'order' },
		{ key: 'upload-csr', text: t('Upload CSR'), icon: 'plus', href: '/csrs?upload', needs: 'order' },
		{ key: 'register', text: t('Register an ACME account'), icon: 'plus', href: '/accounts?register', needs: 'account' },
	]
	return [...pages, ...begin.filter((b) => may(b.needs))]
}

/* The longest place that the path stands in. */
function placeOf(path: string): string {
	let best = ''
	for (const g of places()) for (const i of g.items) if ((path === i.href || (i.href !== '/' && path.startsWith(`${i.href}/`))) && i.href.length > best.length) best = i.href
	return best
}

function Frame() {
	const [path] = useLocation()
	const [open, setOpen] = useState(false)
	const main = useRef<HTMLElement>(null)
	const first = useRef(true)
	const link = useLink()
	const may = useMay()
	const [finding, setFinding] = usePalette()
	const here = placeOf(path)

	/* Another page: the menu closes, and who listens hears the new page, not the old link. */
	useEffect(() => {
		setOpen(false)
		if (first.current) first.current = false
		else {
			main.current?.focus({ preventScroll: true })
			window.scrollTo(0, 0)
		}
	}, [path])

	return (
		<>
			<a className="skip" href="#main">
				{t('Skip to the content')}
			</a>
			{link === 'lost' && (
				<div className="lost" role="alert">
					<Icon name="alert" />
					{t('The server is not reached. What you see may be old; the page reconnects by itself.')}
				</div>
			)}
			<div className="shell" data-lost={link === 'lost' || undefined}>
				<header className="topbar">
					<ActionIcon variant="subtle" color="gray" size="lg" aria-label={open ? t('Close the menu') : t('Open the menu')} aria-expanded={open} onClick={() => setOpen(!open)}>
						<Icon name={open ? 'close' : 'menu'} size={22} />
					</ActionIcon>
					<Link href="/" className="brand">
						<Mark />
						Certwright
					</Link>
				</header>
				<aside className="rail" data-open={open || undefined} aria-label={t('Menu')}>
					<Link href="/" className="brand">
						<Mark />
						Certwright
					</Link>
					<UnstyledButton className="find" onClick={() => setFinding(true)}>
						<Icon name="search" size={16} />
						{t('Find')}
						<kbd aria-hidden="true">/</kbd>
					</UnstyledButton>
					<nav className="nav" aria-label={t('Pages')}>
						{places().map((g) => (
							<div key={g.group ?? ''}>
								{g.group && <div className="nav-group">{g.group}</div>}
								<ul>
									{g.items
										.filter((i) => !i.needs || may(i.needs))
										.map((i) => (
											<NavItem key={i.href} place={i} here={i.href === here} />
										))}
								</ul>
							</div>
						))}
					</nav>
					<Foot />
				</aside>
				<main className="main" id="main" tabIndex={-1} ref={main}>
					<div className="main-inner">
						<Suspense
							fallback={
								<div role="status" aria-label={t('Loading')}>
									<Loader size="sm" />
								</div>
							}
						>
							<Warnings />
							<Pages />
						</Suspense>
					</div>
				</main>
			</div>
			{finding && <Palette pages={targets(may)} onClose={() => setFinding(false)} />}
		</>
	)
}

function NavItem({ place, here }: { place: Place; here: boolean }) {
	return (
		<li>
			<Link href={place.href} className={place.sub ? 'nav-sub' : undefined} aria-current={here ? 'page' : undefined}>
				{!place.sub && <Icon name={place.icon} />}
				{place.text}
				{place.href === '/orders' && <Waiting />}
			</Link>
		</li>
	)
}

/** How many orders wait for a person. */
function Waiting() {
	const live = useLiveOrders()
	const n = live.data?.filter(waitsForPerson).length ?? 0
	if (!n) return null
	return (
		<span className="nav-count" title={t('waiting for you')}>
			{n}
			<span className="mantine-visually-hidden-static"> {t('waiting for you')}</span>
		</span>
	)
}

const SCHEMES: MantineColorScheme[] = ['auto', 'light', 'dark']

function Foot() {
	const { user } = useSession()
	const { leave } = useAuth()
	const { colorScheme, setColorScheme } = useMantineColorScheme()
	const [changing, setChanging] = useState(false)
	const words: Record<MantineColorScheme, string> = { auto: t('As the system'), light: t('Light'), dark: t('Dark') }
	const icons: Record<MantineColorScheme, IconName> = { auto: 'auto', light: 'sun', dark: 'moon' }
	return (
		<div className="rail-foot">
			<Menu position="top-start" width={216} withinPortal>
				<Menu.Target>
					<UnstyledButton w="100%" p="6px 8px" style={{ display: 'flex', alignItems: 'center', gap: 10, borderRadius: 6 }}>
						<Icon name="account" />
						<div style={{ minWidth: 0, flex: 1 }}>
							<Text fw={550} truncate>
								{user.name}
							</Text>
							<Text size="xs" c="dimmed">
								{user.role}
							</Text>
						</div>
						<span className="mantine-visually-hidden-static">{t('menu')}</span>
						<Icon name="more" size={16} />
					</UnstyledButton>
				</Menu.Target>
				<Menu.Dropdown>
					<Menu.Label>{t('Appearance')}</Menu.Label>
					{SCHEMES.map((s) => (
						<Menu.Item key={s} leftSection={<Icon name={icons[s]} size={16} />} rightSection={colorScheme === s ? <Icon name="check" size={16} /> : null} onClick={() => setColorScheme(s)}>
							{words[s]}
						</Menu.Item>
					))}
					<Menu.Divider />
					<Menu.Label>{t('Language')}</Menu.Label>
					{Object.entries(LANGUAGES).map(([key, name]) => (
						<Menu.Item key={key} lang={key} leftSection={<Icon name="dns" size={16} />} rightSection={language() === key ? <Icon name="check" size={16} /> : null} onClick={() => switchLanguage(key)}>
							{name}
						</Menu.Item>
					))}
					<Menu.Divider />
					<Menu.Item leftSection={<Icon name="link" size={16} />} component="a" href="/api/v1/openapi.yaml" target="_blank">
						{t('API description')}
					</Menu.Item>
					<Menu.Item leftSection={<Icon name="lock" size={16} />} onClick={() => setChanging(true)}>
						{t('Change password')}
					</Menu.Item>
					<Menu.Item leftSection={<Icon name="out" size={16} />} onClick={() => void leave()}>
						{t('Sign out')}
					</Menu.Item>
				</Menu.Dropdown>
			</Menu>
			{changing && (
				<Suspense fallback={null}>
					<PasswordDialog onClose={() => setChanging(false)} />
				</Suspense>
			)}
		</div>
	)
}

function Guard({ needs, children }: { needs: Permission; children: ReactNode }) {
	const may = useMay()
	if (may(needs)) return <>{children}</>
	return <NotFound />
}

function NotFound() {
	return (
		<Page title={t('Not found')}>
			<div className="card">
				<Empty title={t('There is no such page.')} action={<LinkButton href="/">{t('Go to the dashboard')}</LinkButton>} />
			</div>
		</Page>
	)
}

function Pages() {
	return (
		<Switch>
			<Route path="/">
				<DashboardPage />
			</Route>
			<Route path="/accounts">
				<AccountsPage />
			</Route>
			<Route path="/orders">
				<OrdersPage />
			</Route>
			<Route path="/orders/:id">{({ id }) => <OrderPage key={id} id={id} />}</Route>
			<Route path="/dns-domains">
				<DnsDomainsPage tab="records" />
			</Route>
			<Route path="/dns-domains/delegations">
				<DnsDomainsPage tab="delegations" />
			</Route>
			<Route path="/dns-domains/http">
				<DnsDomainsPage tab="http" />
			</Route>
			<Route path="/dns-domains/preflight">
				<DnsDomainsPage tab="preflight" />
			</Route>
			<Route path="/notifications">
				<NotificationsPage />
			</Route>
			<Route path="/external-dns">
				<ExternalDnsPage tab="providers" />
			</Route>
			<Route path="/external-dns/rules">
				<ExternalDnsPage tab="rules" />
			</Route>
			<Route path="/external-dns/owed">
				<ExternalDnsPage tab="owed" />
			</Route>
			<Route path="/http-challenge">
				<HttpChallengePage tab="targets" />
			</Route>
			<Route path="/http-challenge/texts">
				<HttpChallengePage tab="texts" />
			</Route>
			<Route path="/certificates">
				<CertificatesPage />
			</Route>
			<Route path="/certificates/:id">{({ id }) => <CertificatePage key={id} id={id} />}</Route>
			<Route path="/renewals">
				<SchedulePage />
			</Route>
			<Route path="/csrs">
				<CsrsPage />
			</Route>
			<Route path="/csrs/:id">{({ id }) => <CsrPage key={id} id={id} />}</Route>
			<Route path="/activity">
				<ActivityPage tab="audit" />
			</Route>
			<Route path="/activity/jobs">
				<ActivityPage tab="jobs" />
			</Route>
			<Route path="/admin">
				<Redirect to="/admin/status" />
			</Route>
			<Route path="/admin/users">
				<Guard needs="admin">
					<UsersPage />
				</Guard>
			</Route>
			<Route path="/admin/tokens">
				<TokensPage />
			</Route>
			<Route path="/admin/vendors">
				<VendorsPage />
			</Route>
			<Route path="/admin/network">
				<NetworkPage />
			</Route>
			<Route path="/admin/status">
				<StatusPage />
			</Route>
			<Route>
				<NotFound />
			</Route>
		</Switch>
	)
}
