// SPDX-License-Identifier: Apache-2.0
// Fields that an order and the wish to renew share: the account, the validation, and how single names are proved.
import { SegmentedControl, Select, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap, type Account } from '../api/client'
import { t } from '../i18n'
import { Notice } from '../parts/bits'
import { isWildcard } from '../parts/names'
import { accountLabel } from './accounts'

export type Validation = 'dns-01' | 'http-01'

/** Nothing is chosen: the validation rules say. */
export const AUTO = 'auto'

export function useValidAccounts() {
	return useQuery({ queryKey: ['accounts', 'choose'], queryFn: () => unwrap(api.GET('/accounts', { params: { query: { limit: 200 } } })), select: (p) => ({ ...p, items: p.items.filter((a) => a.status === 'valid') }) })
}

export function useCsrs() {
	return useQuery({ queryKey: ['csrs', 'choose'], queryFn: () => unwrap(api.GET('/csrs', { params: { query: { limit: 200 } } })) })
}

/** What a body says of the method that all names share. */
export function methodBody(v: { validation: Validation; dns: string; http: string }): { dns?: string; http?: string } {
	const own = v.validation === 'dns-01' ? v.dns : v.http
	return own === AUTO ? {} : v.validation === 'dns-01' ? { dns: own } : { http: own }
}

/** The choices for single names, after one of them was made or taken back. */
export function withMethod(methods: Record<string, string>, name: string, method: string | null): Record<string, string> {
	const rest = Object.fromEntries(Object.entries(methods).filter(([n]) => n !== name))
	return method ? { ...rest, [name]: method } : rest
}

/** "email --- vendor", and what a certificate of it costs. */
export function AccountField({ label, accounts, ...input }: { label: string; accounts: Account[]; value?: string | null; onChange?: (v: string | null) => void; error?: React.ReactNode }) {
	const account = accounts.find((a) => a.id === input.value)
	return (
		<>
			<Select label={label} placeholder={t('Choose an account')} searchable data={accounts.map((a) => ({ value: a.id, label: a.costs_money ? t('{label} (paid)', { label: accountLabel(a) }) : accountLabel(a) }))} {...input} />
			{account?.costs_money && <Notice tone="warn">{t('Each certificate of this vendor is charged to its customer account.')}</Notice>}
		</>
	)
}

/** A wildcard leaves dns-01 only, and says so. */
export function ValidationField({ names, value, onChange }: { names: string[]; value: Validation; onChange: (v: Validation) => void }) {
	const wildcard = names.find(isWildcard)
	return (
		<div>
			<Text fw={500} size="md" mb={4} id="validation-label">
				{t('Validation Type')}
			</Text>
			<SegmentedControl aria-labelledby="validation-label" value={value} onChange={(v) => onChange(v as Validation)} data={[{ value: 'dns-01', label: 'dns-01' }, { value: 'http-01', label: 'http-01', disabled: !!wildcard }]} />
			{wildcard && (
				<Text size="sm" c="dimmed" mt={4} role="note">
					{t('http-01 cannot prove control of a wildcard ({name}); authorities accept only dns-01 for it.', { name: wildcard })}
				</Text>
			)}
		</div>
	)
}
