// SPDX-License-Identifier: Apache-2.0
// Title, place and actions of a page; and what stands there while it loads or when it could not.
import { Group, Skeleton, Stack, Title } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { Fragment, useEffect, type ReactNode } from 'react'
import { Link } from 'wouter'
import { asError } from '../api/client'
import { t } from '../i18n'
import { Empty, Failure, LinkButton } from './bits'

export interface Crumb {
	text: string
	href?: string
}

export function Page({ title, heading, crumbs = [], actions, badges, children }: { title: string; heading?: ReactNode; crumbs?: Crumb[]; actions?: ReactNode; badges?: ReactNode; children: ReactNode }) {
	useEffect(() => {
		document.title = `${title} · Certwright`
	}, [title])
	return (
		<Stack gap="md">
			<div>
				{crumbs.length > 0 && <div className="crumbs">
					{crumbs.map((c, i) => (
						<Fragment key={c.text}>
							{i > 0 && ' › '}
							{c.href ? <Link href={c.href}>{c.text}</Link> : c.text}
						</Fragment>
					))}
				</div>}
				<Group justify="space-between" align="center" gap="md">
					<Group gap="sm" style={{ minWidth: 0 }}>
						<Title order={1} className="break">
							{heading ?? title}
						</Title>
						{badges}
					</Group>
					{actions && <Group gap="xs">{actions}</Group>}
				</Group>
			</div>
			{children}
		</Stack>
	)
}

/** One object of the server: skeleton, sentence or content. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
	if (query.data !== undefined) return <>{children(query.data)}</>
	if (query.isError) {
		if (asError(query.error).status === 404)
			return (
				<Page title={t('Not found')}>
					<div className="card">
						<Empty title={t('This is not here, or no longer.')} action={<LinkButton href="/">{t('Go to the dashboard')}</LinkButton>} />
					</div>
				</Page>
			)
		return <Failure error={query.error} retry={() => void query.refetch()} />
	}
	return (
		<Stack gap="md" aria-busy="true" aria-label={t('Loading')}>
			<Skeleton height={28} width={320} />
			<Skeleton height={90} />
			<Skeleton height={260} />
		</Stack>
	)
}

export function Card({ title, actions, children, pad = true, label }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; pad?: boolean; label?: string }) {
	return (
		<section className="card" aria-label={label}>
			{title && (
				<div className="card-head">
					<Title order={2}>{title}</Title>
					{actions}
				</div>
			)}
			{pad ? <div className="card-pad">{children}</div> : children}
		</section>
	)
}
