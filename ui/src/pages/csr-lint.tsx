// SPDX-License-Identifier: Apache-2.0
// A CSR as an authority reads it: what is in it, what a vendor would refuse, and what it will ignore. The server reads it, never the page.
import { List, Select, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ApiError, unwrap } from '../api/client'
import type { components } from '../api/schema'
import { t } from '../i18n'
import { keyTypeLabel } from './order-create'
import { CUSTOM, useVendors } from './vendors'
import { Facts, Failure, Names, Notice, sentence } from '../parts/bits'
import { Card } from '../parts/page'

type Lint = components['schemas']['CsrLint']
type Finding = components['schemas']['CsrFinding']
type Ignored = components['schemas']['CsrIgnored']

export const CSR_MAX = 65536
const PAUSE_MS = 400

/** Worth asking the server about: a whole block, of a size it takes, and no key. */
export function isCsr(pem: string): boolean {
	return pem.length <= CSR_MAX && !/PRIVATE KEY/.test(pem) && /-----BEGIN (NEW )?CERTIFICATE REQUEST-----[^-]+-----END/.test(pem)
}

/** Whose rules: the vendor of the first account there is, else Let's Encrypt. */
export function useVendorChoice() {
	const vendors = useVendors()
	const accounts = useQuery({ queryKey: ['accounts', 'choices'], queryFn: () => unwrap(api.GET('/accounts', { params: { query: { limit: 1 } } })) })
	const [chosen, setChosen] = useState<string | null>(null)
	const [profile, setProfile] = useState<string | null>(null)
	const first = accounts.data?.items[0]?.vendor
	const vendor = chosen ?? first ?? (accounts.isPending ? null : 'letsencrypt')
	const profiles = vendors.data?.items.find((v) => v.key === vendor)?.profiles ?? []
	const setVendor = (v: string) => {
		setChosen(v)
		setProfile(null)
	}
	return { vendor, setVendor, profile, setProfile, profiles, vendors: vendors.data?.items ?? [] }
}

export function VendorChoice({ of, label, description }: { of: ReturnType<typeof useVendorChoice>; label: string; description?: string }) {
	const seen = new Map(of.vendors.filter((v) => v.key !== CUSTOM && v.discontinued === null).map((v) => [v.key, v.title]))
	const data = [...[...seen].map(([value, title]) => ({ value, label: title })), { value: CUSTOM, label: t('Any authority: the rules that hold everywhere') }]
	return (
		<>
			<Select label={label} description={description} data={data} searchable allowDeselect={false} value={of.vendor} onChange={(v) => v && of.setVendor(v)} />
			{of.profiles.length > 0 && <Select label={t('Profile')} placeholder={t("the vendor's default")} clearable data={of.profiles.map((p) => ({ value: p.name, label: p.name }))} value={of.profile} onChange={of.setProfile} />}
		</>
	)
}

/** What the server reads in the text, a moment after the typing stops; nothing while it is no CSR yet. */
export function useLint(pem: string, vendor: string | null, profile: string | null) {
	const [text] = useDebouncedValue(pem, PAUSE_MS)
	const asked = isCsr(text)
	const query = useQuery({
		queryKey: ['csr-lint', text, vendor, profile],
		queryFn: () => unwrap(api.POST('/csrs/lint', { body: { pem: text, ...(vendor ? { vendor } : {}), ...(profile ? { profile } : {}) } })),
		enabled: asked,
		retry: false,
		gcTime: 0,
		placeholderData: keepPreviousData,
	})
	const refused = asked && query.error instanceof ApiError ? query.error : null
	const atField = refused?.problem.errors?.find((e) => e.pointer === '/pem')
	return {
		lint: asked && !refused ? (query.data ?? null) : null,
		busy: asked && query.isFetching,
		/** Belongs at the field of the CSR. */
		wrong: atField ? sentence(atField.detail) : null,
		failed: refused && !atField ? refused : null,
	}
}

export function Refused({ findings, vendor }: { findings: Finding[]; vendor: string }) {
	if (!findings.length) return <Notice tone="info" title={t('Nothing that {vendor} is known to refuse.', { vendor })} />
	return (
		<Notice tone="bad" title={t('{vendor} would refuse this:', { vendor })}>
			<List size="sm" spacing={4}>
				{findings.map((f) => (
					<List.Item key={f.field + f.text}>
						{sentence(f.text)}.{f.hint ? ` ${f.hint}` : ''}
					</List.Item>
				))}
			</List>
		</Notice>
	)
}

export function IgnoredList({ items }: { items: Ignored[] }) {
	if (!items.length) return null
	return (
		<Notice tone="warn" title={t('The authority will ignore this:')}>
			<List size="sm" spacing={4}>
				{items.map((x) => (
					<List.Item key={x.name}>{sentence(x.text)}</List.Item>
				))}
			</List>
		</Notice>
	)
}

export function LintView({ lint, vendor }: { lint: Lint; vendor: string }) {
	return (
		<Stack gap="sm" aria-live="polite">
			<Facts
				rows={[
					[t('Names'), <Names key="n" names={lint.names} display={lint.display_names} most={20} />],
					[t('Subject'), lint.subject || '–'],
					[t('Key'), keyTypeLabel(lint.key_type)],
					...(lint.must_staple ? ([[t('OCSP must-staple'), t('asked for')]] as [string, string][]) : []),
				]}
			/>
			<Refused findings={lint.findings} vendor={vendor} />
			<IgnoredList items={lint.ignored} />
		</Stack>
	)
}

/** The check of a CSR that is stored, with the choice of vendor. */
export function StoredLint({ id }: { id: string }) {
	const choice = useVendorChoice()
	const vendor = choice.vendor
	const query = useQuery({
		queryKey: ['csrs', 'check', id, vendor, choice.profile],
		queryFn: () => unwrap(api.GET('/csrs/{id}/check', { params: { path: { id }, query: { vendor: vendor ?? CUSTOM, ...(choice.profile ? { profile: choice.profile } : {}) } } })),
		enabled: vendor !== null,
		placeholderData: keepPreviousData,
	})
	const title = choice.vendors.find((v) => v.key === vendor)?.title ?? t('Any authority')
	return (
		<Card title={t('What an authority makes of it')}>
			<Stack gap="sm">
				<VendorChoice of={choice} label={t('Check against the rules of')} />
				{query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
				{query.data && <Refused findings={query.data.findings} vendor={title} />}
				{query.data && <IgnoredList items={query.data.ignored} />}
				{query.isPending && <Text c="dimmed">{t('Reading …')}</Text>}
			</Stack>
		</Card>
	)
}
