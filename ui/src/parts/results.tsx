// SPDX-License-Identifier: Apache-2.0
// What came of one act on many certificates: a row for each, with the reason where it was refused.
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { t } from '../i18n'
import { sentence } from './bits'
import { PlainTable, type Column } from './table'

interface Result {
	certificate_num: number | null
	reason: { detail?: string | null; title?: string; hint?: string | null } | null
}

export function ResultTable<T extends Result>({ label, rows, result, name, more }: { label: string; rows: T[]; result: (r: T) => ReactNode; name: (r: T) => string; more: Column<T>[] }) {
	return (
		<PlainTable<{ row: T; at: number }>
			label={label}
			rows={rows.map((row, at) => ({ row, at }))}
			rowKey={(r) => String(r.at)}
			columns={[
				{ title: t('Result'), nowrap: true, render: ({ row }) => result(row) },
				{
					title: t('Certificate'),
					render: ({ row }) => (
						<>
							{row.certificate_num ? <Link href={`/certificates/${row.certificate_num}`}>{name(row)}</Link> : name(row)}
							{row.reason && (
								<Text size="sm" c="dimmed">
									{sentence(row.reason.detail ?? row.reason.title ?? '')}
									{row.reason.hint && `. ${row.reason.hint}`}
								</Text>
							)}
						</>
					),
				},
				...more.map((c) => ({ ...c, render: ({ row }: { row: T }) => c.render(row) })),
			]}
		/>
	)
}

/** It is over: nothing is left but to read and close it. */
export function ResultDialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
	return (
		<Modal opened onClose={onClose} title={title} size="xl">
			<Stack gap="md">
				{children}
				<Group justify="flex-end">
					<Button onClick={onClose} data-autofocus>
						{t('Close')}
					</Button>
				</Group>
			</Stack>
		</Modal>
	)
}
