// SPDX-License-Identifier: Apache-2.0
// How each name of an order would be proved and who decides, before it is submitted; each name may have its own choice.
import { Select, Table, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '../api/client'
import { t } from '../i18n'
import { Failure, Notice, Soft } from './bits'

type Row = Schemas['NamePreview']
export interface Choice {
	value: string
	label: string
}

function by(r: Pick<Row, 'by'>): string {
	const words: Record<Row['by'], string> = { name: t('chosen for this name'), order: t('chosen for the order'), rule: t('by a rule'), delegation: t('it is delegated'), default: t('nothing said') }
	return words[r.by]
}

export function methodText(r: Pick<Row, 'method_name' | 'method_title'>): string {
	return r.method_name === r.method_title ? r.method_title : `${r.method_name} (${r.method_title})`
}

export function MethodsPreview({ names, validation, accountId, all, chosen, choices, onChoose }: { names: string[]; validation: 'dns-01' | 'http-01'; accountId: string | null; all: string | null; chosen: Record<string, string>; choices: Choice[]; onChoose: (name: string, method: string | null) => void }) {
	const methods = Object.fromEntries(Object.entries(chosen).filter(([n]) => names.includes(n)))
	const [asked] = useDebouncedValue({ names, validation, ...(accountId ? { account_id: accountId } : {}), ...(all ? (validation === 'dns-01' ? { dns: all } : { http: all }) : {}), methods }, 300)
	const preview = useQuery({ queryKey: ['preview', asked], queryFn: () => unwrap(api.POST('/orders/preview', { body: asked as never })), placeholderData: keepPreviousData, retry: false, staleTime: 5_000 })
	if (preview.isError) return <Failure error={preview.error} retry={() => void preview.refetch()} />
	const rows = preview.data?.names ?? []
	const ask = rows.filter((r) => r.ask)
	if (!rows.length) return null
	return (
		<div>
			<Text fw={500} size="md" mb={4} id="proved-label">
				{t('How each name is proved')}
			</Text>
			<Table aria-labelledby="proved-label" verticalSpacing={6}>
				<Table.Tbody>
					{rows.slice(0, 20).map((r) => (
						<Table.Tr key={r.name}>
							<Table.Td className="mono">
								<Soft text={r.name} />
							</Table.Td>
							<Table.Td w={260}>
								<Select size="xs" aria-label={t('How {name} is proved', { name: r.name })} data={choices} value={r.method} allowDeselect={false} onChange={(v) => onChoose(r.name, v === r.method && r.by !== 'name' ? null : v)} />
							</Table.Td>
							<Table.Td w={150}>
								<Text size="sm" c="dimmed">
									{by(r)}
								</Text>
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
			{rows.length > 20 && <Text size="sm" c="dimmed">{t('and {n} more', { n: rows.length - 20 })}</Text>}
			{ask.slice(0, 3).map((r) => (
				<Notice key={r.name} tone="warn">
					{r.offers.length === 1
						? t('{provider} has the zone of {name}. Choose it, or the record has to be set by hand.', { provider: r.offers[0]?.name ?? '', name: r.name })
						: t('The zone of {name} is at several providers: {providers}. Choose the one that the authority sees.', { name: r.name, providers: r.offers.map((o) => o.name).join(', ') })}
				</Notice>
			))}
		</div>
	)
}
