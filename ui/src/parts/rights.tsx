// SPDX-License-Identifier: Apache-2.0
// Roles and rights as people choose them.
import { Checkbox, Stack } from '@mantine/core'
import { type User } from '../api/client'
import { t } from '../i18n'

export type Role = User['role']
export const ROLES: Role[] = ['viewer', 'operator', 'admin']

export function roleOptions(highest: Role) {
	const words: Record<Role, string> = { viewer: t('viewer: sees everything, changes nothing'), operator: t('operator: also orders certificates'), admin: t('admin: also accounts and people') }
	return ROLES.slice(0, ROLES.indexOf(highest) + 1).map((value) => ({ value, label: words[value] }))
}

export type Right = User['rights'][number]
export const RIGHTS: Right[] = ['audit', 'revoke', 'key-export']

export function rightWords(): Record<Right, string> {
	return { audit: t('audit: read who did what'), revoke: t('revoke: revoke certificates'), 'key-export': t('key-export: take a private key away') }
}

export function Rights({ of, ...input }: { of: Right[]; value?: string[]; onChange?: (v: string[]) => void }) {
	const words = rightWords()
	return (
		<Checkbox.Group label={t('Rights')} description={t('No role has them; each grant is in the audit.')} {...input}>
			<Stack gap={6} mt={6}>
				{of.map((r) => (
					<Checkbox key={r} value={r} label={words[r]} />
				))}
			</Stack>
		</Checkbox.Group>
	)
}
