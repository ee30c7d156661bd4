// SPDX-License-Identifier: Apache-2.0
// Small parts used on every page: badges, times, copying, notices.
import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { Fragment, type ReactNode } from 'react'
import { Link } from 'wouter'
import { asError, type Certificate, type Order, type Reason } from '../api/client'
import { locale, plural, t } from '../i18n'
import { Icon, type IconName } from './icon'

export type ToneName = 'good' | 'bad' | 'warn' | 'busy' | 'calm'

export function Tone({ tone, children, plain, title }: { tone: ToneName; children: ReactNode; plain?: boolean; title?: string }) {
	const badge = (
		<span className="tone" data-tone={tone} data-plain={plain || undefined} tabIndex={title ? 0 : undefined}>
			{children}
		</span>
	)
	return title ? <Tooltip label={title}>{badge}</Tooltip> : badge
}

const ORDER_TONES: Record<string, ToneName> = { pending: 'busy', ready: 'busy', processing: 'busy', valid: 'good', invalid: 'bad' }

export function OrderStatus({ order }: { order: Pick<Order, 'status' | 'stage' | 'set_aside'> }) {
	const person = order.set_aside || waitsForPerson(order)
	return (
		<Tone tone={person ? 'warn' : (ORDER_TONES[order.status] ?? 'calm')} title={order.stage !== order.status ? sentence(order.stage) : undefined}>
			{order.status}
		</Tone>
	)
}

const HEALTH: Record<string, ToneName> = { active: 'good', expiring: 'warn', expired: 'bad', revoked: 'bad', 'set-aside': 'warn' }

export function Health({ certificate }: { certificate: Certificate }) {
	return <Tone tone={HEALTH[certificate.health] ?? 'calm'}>{certificate.health}</Tone>
}

export function waitsForPerson(order: Pick<Order, 'stage' | 'set_aside'>): boolean {
	return order.stage === 'waiting for you' || order.stage === 'ready to finalize' || order.set_aside
}

export function isLive(order: Pick<Order, 'status'>): boolean {
	return order.status !== 'valid' && order.status !== 'invalid'
}

/** With a capital, where it begins with a word and not with a name. */
export function sentence(s: string): string {
	return /^[a-z]+([ ,:;]|$)/.test(s) ? s.charAt(0).toUpperCase() + s.slice(1) : s
}

export function Staging({ on }: { on: boolean }) {
	if (!on) return null
	return (
		<Tone tone="warn" plain title={t('Certificates of this vendor are for trials: browsers do not trust them.')}>
			{t('not trusted')}
		</Tone>
	)
}

/* Times: shown in the zone of who looks, in UTC on hover. */

function format(options: Intl.DateTimeFormatOptions) {
	let made: Intl.DateTimeFormat | undefined
	return { format: (d: Date) => (made ??= new Intl.DateTimeFormat(locale(), options)).format(d) } /* the language is known by now */
}
const dateTime = format( { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
const dateOnly = format({ year: 'numeric', month: 'short', day: 'numeric' })
const minutes = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const clock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

export function utc(at: string): string {
	const d = new Date(at)
	return Number.isNaN(d.getTime()) ? at : `${d.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

export function dateText(at: string): string {
	return dateTime.format(new Date(at))
}

export function Time({ at, show = 'full' }: { at: string | null | undefined; show?: 'full' | 'date' | 'clock' | 'two' }) {
	if (!at) return <span aria-label={t('none')}>–</span>
	const d = new Date(at)
	if (Number.isNaN(d.getTime())) return <span>{at}</span>
	if (show === 'two')
		return (
			<time dateTime={at} title={utc(at)}>
				<span className="nowrap">{dateOnly.format(d)}</span>
				<br />
				<span className="quiet nowrap">{minutes.format(d)}</span>
			</time>
		)
	const text = (show === 'date' ? dateOnly : show === 'clock' ? clock : dateTime).format(d)
	return (
		<time dateTime={at} title={utc(at)} className="nowrap">
			{text}
		</time>
	)
}

export function distance(at: string, now = Date.now()): string {
	const ms = new Date(at).getTime() - now
	const abs = Math.abs(ms)
	const units: [number, Intl.RelativeTimeFormatUnit][] = [
		[86_400_000, 'day'],
		[3_600_000, 'hour'],
		[60_000, 'minute'],
	]
	const words = new Intl.RelativeTimeFormat(locale(), { numeric: 'always' })
	for (const [size, unit] of units) if (abs >= size * (unit === 'day' ? 2 : 1)) return words.format(Math.trunc(ms / size), unit)
	return words.format(Math.trunc(ms / 1000), 'second')
}

export function Relative({ at, coming }: { at: string; coming?: boolean }) {
	return (
		<time dateTime={at} title={`${dateTime.format(new Date(at))} (${utc(at)})`} className="nowrap">
			{coming && new Date(at).getTime() <= Date.now() ? t('now') : distance(at)}
		</time>
	)
}

/** Text that may break after dots, slashes and at-signs, as names and addresses should. */
export function Soft({ text }: { text: string }) {
	return (
		<>
			{text.split(/(?<=[./@?&=,])/).map((part, i) => (
				<Fragment key={i}>
					{i > 0 && <wbr />}
					{part}
				</Fragment>
			))}
		</>
	)
}

/* Names: the first ones, and how many more. */

export function Names({ names, display, most = 2 }: { names: string[]; display?: string[]; most?: number }) {
	const shown = display && display.length === names.length ? display : names
	const rest = shown.slice(most)
	return (
		<span className="names break">
			{shown.slice(0, most).map((n, i) => (
				<span key={n}>
					{i > 0 && <br />}
					<span title={names[i] !== n ? names[i] : undefined}>
						<Soft text={n} />
					</span>
				</span>
			))}
			{rest.length > 0 && (
				<>
					<br />
					<Tooltip label={rest.join(', ')}>
						<span tabIndex={0} style={{ color: 'var(--mantine-color-dimmed)' }}>
							{plural(rest.length, 'and {n} more', 'and {n} more')}
						</span>
					</Tooltip>
				</>
			)}
		</span>
	)
}

/** A long text in a narrow column: cut, whole on hover and focus, and always whole for who copies or listens. */
export function Clipped({ text }: { text: string }) {
	return (
		<Tooltip label={<span className="break">{text}</span>}>
			<span className="mono clip" tabIndex={0}>
				{text}
			</span>
		</Tooltip>
	)
}

/* Copying */

export function CopyButton({ value, what }: { value: string; what: string }) {
	const clip = useClipboard({ timeout: 1500 })
	const label = clip.copied ? t('Copied') : t('Copy {what}', { what })
	return (
		<Tooltip label={label}>
			<ActionIcon variant="subtle" color={clip.copied ? 'green' : 'gray'} onClick={() => clip.copy(value)} aria-label={label}>
				<Icon name={clip.copied ? 'check' : 'copy'} size={16} />
			</ActionIcon>
		</Tooltip>
	)
}

export function CopyLine({ value, what }: { value: string; what: string }) {
	return (
		<div className="copyline">
			<code>{value}</code>
			<CopyButton value={value} what={what} />
		</div>
	)
}

/* Notices */

const NOTICES: Record<'good' | 'bad' | 'warn' | 'info', IconName> = { good: 'check', bad: 'alert', warn: 'alert', info: 'info' }

export function Notice({ tone, title, children, live }: { tone: 'good' | 'bad' | 'warn' | 'info'; title?: ReactNode; children?: ReactNode; live?: boolean }) {
	return (
		<div className="notice" data-tone={tone} role={live ? (tone === 'good' ? 'status' : 'alert') : undefined}>
			<Icon name={NOTICES[tone]} />
			<div className="break" style={{ minWidth: 0, flex: 1 }}>
				{title && <div style={{ fontWeight: 600 }}>{title}</div>}
				{children}
			</div>
		</div>
	)
}

/** A sentence whose addresses can be followed: an authority names the page where a person has to do something. */
export function Linked({ text }: { text: string }) {
	const parts = text.split(/(https:\/\/[^\s<>"'()]+[^\s<>"'().,;:])/)
	return (
		<>
			{parts.map((part, i) =>
				i % 2 ? (
					<a key={i} className="inline-link break" href={part} target="_blank" rel="noreferrer noopener">
						{part}
					</a>
				) : (
					part
				),
			)}
		</>
	)
}

/** What the server refused, in its words and then in those of the other side. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
	const { problem } = asError(error)
	const detail = problem.detail && problem.detail !== problem.title ? problem.detail : undefined
	return (
		<Notice tone="bad" title={sentence(detail ?? problem.title)} live>
			{problem.hint && (
				<div>
					<Linked text={sentence(problem.hint)} />
				</div>
			)}
			{problem.remote && <p className="said">{problem.remote}</p>}
			{problem.retry_at && <div>{t('It can be tried again {when}.', { when: distance(problem.retry_at) })}</div>}
			{retry && (
				<Button size="compact-sm" variant="default" mt="xs" leftSection={<Icon name="refresh" size={14} />} onClick={retry}>
					{t('Try again')}
				</Button>
			)}
		</Notice>
	)
}

export function Because({ reason, tone = 'bad' }: { reason: Reason; tone?: 'bad' | 'warn' }) {
	return (
		<Notice tone={tone} title={sentence(reason.detail ?? reason.title)}>
			{reason.hint && (
				<div>
					<Linked text={sentence(reason.hint)} />
				</div>
			)}
			{reason.chain.length > 0 && (
				<ul style={{ margin: '4px 0 0', paddingLeft: 18 }}>
					{reason.chain.map((c, i) => (
						<li key={i}>{sentence(c)}</li>
					))}
				</ul>
			)}
			{reason.remote && <p className="said">{reason.remote}</p>}
			{reason.remote_type && <code>{reason.remote_type}</code>}
			{reason.retry_at && <div>{t('It goes on {when}.', { when: distance(reason.retry_at) })}</div>}
		</Notice>
	)
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
	return (
		<div className="empty">
			<b>{title}</b>
			{children && <p>{children}</p>}
			{action}
		</div>
	)
}

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
	return (
		<dl className="facts">
			{rows.map(([name, value]) => (
				<div key={name} style={{ display: 'contents' }}>
					<dt>{name}</dt>
					<dd>{value ?? '–'}</dd>
				</div>
			))}
		</dl>
	)
}

export function LinkButton({ href, children, icon, variant = 'filled' }: { href: string; children: ReactNode; icon?: ReactNode; variant?: string }) {
	return (
		<Button component={Link} href={href} variant={variant} leftSection={icon}>
			{children}
		</Button>
	)
}
