// SPDX-License-Identifier: Apache-2.0
// What was seen: facts of a preflight or of a delegation as a list with what to do, and the grid of servers beside a record.
import { Button, Group, Stack, Table, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, finish, unwrap, type AcmeRecord, type Schemas } from '../api/client'
import { t } from '../i18n'
import { Clipped, Failure, sentence, Soft, Tone, type ToneName } from './bits'
import { Icon } from './icon'

export type Fact = Schemas['Fact']
type Preflight = Schemas['Preflight']

const TONES: Record<Fact['state'], ToneName> = { good: 'good', warn: 'warn', bad: 'bad', unknown: 'calm' }

export function stateName(state: Fact['state']): string {
	const words: Record<Fact['state'], string> = { good: t('good'), warn: t('look at it'), bad: t('to be put right'), unknown: t('not seen from here') }
	return words[state]
}

function checkName(check: string): string {
	const words: Record<string, string> = {
		caa: t('CAA'),
		delegation: t('Delegation'),
		server: t('Our address'),
		ds: t('DS record'),
		'port-80': t('Port 80'),
		wildcard: t('Wildcard'),
		vendor: t('Vendor'),
		zone: t('Zone'),
		'split-dns': t('Split DNS'),
		view: t('View'),
	}
	return words[check] ?? check
}

/** The worst of them decides the colour of the whole. */
export function worst(facts: Fact[]): Fact['state'] {
	for (const s of ['bad', 'warn', 'unknown'] as const) if (facts.some((f) => f.state === s)) return s
	return 'good'
}

/** A sentence, and beneath it what to do. */
export function Said({ text, todo }: { text: string; todo: string | null }) {
	return (
		<>
			{sentence(text)}
			{todo && (
				<Text size="sm" c="dimmed">
					{todo}
				</Text>
			)}
		</>
	)
}

export function FactList({ facts, label, names }: { facts: Fact[]; label: string; names?: boolean }) {
	const order: Fact['state'][] = ['bad', 'warn', 'unknown', 'good']
	const sorted = [...facts].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
	return (
		<Table aria-label={label} verticalSpacing="xs">
			<Table.Thead>
				<Table.Tr>
					<Table.Th w={150}>{t('Status')}</Table.Th>
					{names && <Table.Th>{t('Domain Name')}</Table.Th>}
					<Table.Th w={110}>{t('What')}</Table.Th>
					<Table.Th>{t('What was seen, and what to do')}</Table.Th>
				</Table.Tr>
			</Table.Thead>
			<Table.Tbody>
				{sorted.map((f, i) => (
					<Table.Tr key={i}>
						<Table.Td>
							<Tone tone={TONES[f.state]}>{stateName(f.state)}</Tone>
						</Table.Td>
						{names && (
							<Table.Td className="mono">
								<Soft text={f.name} />
							</Table.Td>
						)}
						<Table.Td>{checkName(f.check)}</Table.Td>
						<Table.Td className="break">
							<Said text={f.text} todo={f.state === 'good' ? null : f.todo} />
							{f.view && (
								<Text size="xs" c="dimmed">
									{t('Seen through view {view}', { view: f.view })}
								</Text>
							)}
						</Table.Td>
					</Table.Tr>
				))}
			</Table.Tbody>
		</Table>
	)
}

/** Looks at names before an order: advice, nothing is changed and nothing is refused for it. */
export function Preflight({ names, accountId, validation, method }: { names: string[]; accountId?: string | null; validation?: 'dns-01' | 'http-01'; method?: string | null }) {
	const look = useMutation({
		mutationFn: async () => {
			const body = { names, ...(accountId ? { account_id: accountId } : {}), ...(validation ? { validation } : {}), ...(method ? (validation === 'http-01' ? { http: method } : { dns: method }) : {}) }
			return finish<Preflight>(await api.POST('/preflight', { body }), async (job) => (await unwrap(api.GET('/jobs/{id}', { params: { path: { id: job.id } } }))).result as Preflight)
		},
	})
	const facts = look.data?.facts ?? []
	const state = worst(facts)
	return (
		<Stack gap="xs">
			<Group gap="sm">
				<Button variant="default" leftSection={<Icon name="search" size={16} />} disabled={!names.length} loading={look.isPending} onClick={() => look.mutate()}>
					{t('Look what stands in the way')}
				</Button>
				{look.data && <Tone tone={TONES[state]}>{state === 'good' ? t('nothing stands in the way') : stateName(state)}</Tone>}
			</Group>
			{look.isError && <Failure error={look.error} retry={() => look.mutate()} />}
			{facts.length > 0 && <FactList facts={facts} label={t('What was seen')} names={names.length > 1} />}
		</Stack>
	)
}

/* ---- the grid of servers ---- */

interface Seen {
	seen?: boolean
	text?: string
	view?: string
	rule?: string | null
	zone?: string | null
	inside?: boolean
	tcp?: boolean
	servers?: { name: string; address: string; state: 'has' | 'other' | 'empty' | 'error' | 'silent'; text: string; values: string[] }[]
}

const SERVER_TONES = { has: 'good', other: 'warn', empty: 'busy', error: 'bad', silent: 'calm' } as const

export function seenOf(record: Pick<AcmeRecord, 'detail'>): Seen | null {
	return record.detail && typeof record.detail === 'object' ? (record.detail as Seen) : null
}

/** Each server that was asked and what it said; it refreshes with the order. */
export function ServerGrid({ record }: { record: AcmeRecord }) {
	const d = seenOf(record)
	if (!d?.text) return null
	const servers = d.servers ?? []
	return (
		<div style={{ marginTop: 8 }}>
			<Text size="sm" c="dimmed" mb={4} className="break">
				{servers.length ? t('Asked about {name}', { name: record.domain }) : sentence(d.text)}
				{d.zone && ` · ${t('zone {zone}', { zone: d.zone })}`}
				{d.view && ` · ${t('through view {view}', { view: d.view })}`}
			</Text>
			{d.inside && (
				<Text size="sm" mb={4}>
					{t('Split DNS: these servers have private addresses, so an authority on the Internet asks others. Its answer counts.')}
				</Text>
			)}
			{d.tcp && (
				<Text size="sm" mb={4}>
					{t('So many values are at this name that the answer does not fit into UDP: the authority has to reach port 53 by TCP too.')}
				</Text>
			)}
			{servers.length > 0 && (
				<Table aria-label={t('Servers asked about {name}', { name: record.domain })} verticalSpacing={6}>
					<Table.Tbody>
						{servers.map((s) => (
							<Table.Tr key={`${s.name} ${s.address}`}>
								<Table.Td className="break">
									<Soft text={s.name || s.address} />
									{s.name && s.address && (
										<Text size="xs" c="dimmed" className="mono">
											{s.address}
										</Text>
									)}
								</Table.Td>
								<Table.Td>
									<Tone tone={SERVER_TONES[s.state] ?? 'calm'}>{sentence(s.text)}</Tone>
								</Table.Td>
								<Table.Td>{s.state !== 'has' && s.values.map((v) => <Clipped key={v} text={v} />)}</Table.Td>
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			)}
		</div>
	)
}
