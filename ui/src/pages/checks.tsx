// SPDX-License-Identifier: Apache-2.0
// Is everything right? What the last look at the whole server found, what to do about it, and another look.
import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, finish, unwrap, type Checks as Found } from '../api/client'
import { plural, t } from '../i18n'
import { Empty, Failure, Notice, Relative, Soft, Time, Tone, type ToneName } from '../parts/bits'
import { Icon } from '../parts/icon'
import { Said } from '../parts/looks'
import { Card, Loaded } from '../parts/page'
import { PlainTable } from '../parts/table'

type Row = Found['rows'][number]
type State = Row['state']

/** The worst first. */
const STATES: State[] = ['error', 'warning', 'not-checked', 'ok']
const TONES: Record<State, ToneName> = { error: 'bad', warning: 'warn', 'not-checked': 'calm', ok: 'good' }

function stateName(state: State): string {
	const words: Record<State, string> = { error: t('error'), warning: t('warning'), 'not-checked': t('not checked'), ok: t('ok') }
	return words[state]
}

function checkName(check: string): string {
	const words: Record<string, string> = {
		config: t('Configuration'),
		rights: t('Rights on files'),
		'master-key': t('Master key'),
		disk: t('Disk'),
		listeners: t('Listening addresses'),
		store: t('Store'),
		edge: t('Public part'),
		clock: t('Clock'),
		proxy: t('Proxy'),
		vendor: t('Vendor'),
		account: t('Account'),
		view: t('View'),
		provider: t('Provider'),
		mail: t('Mail server'),
		notification: t('Notifications'),
		job: t('Jobs'),
		history: t('History'),
		backup: t('Backup'),
	}
	return words[check] ?? check
}

const readChecks = () => unwrap(api.GET('/checks'))

export function Checks() {
	const client = useQueryClient()
	const last = useQuery({ queryKey: ['checks'], queryFn: readChecks })
	const look = useMutation({
		mutationFn: async () => finish<Found>(await api.POST('/checks'), readChecks),
		onSuccess: (found) => client.setQueryData(['checks'], found),
	})
	return (
		<Card
			title={t('Is everything right?')}
			pad={false}
			actions={
				<Button size="compact-md" leftSection={<Icon name="refresh" size={16} />} loading={look.isPending} onClick={() => look.mutate()}>
					{last.data && !last.data.ran_at ? t('Look now') : t('Run again')}
				</Button>
			}
		>
			<Stack gap="sm" className="card-pad">
				<Loaded query={last}>{(found) => <Summary found={found} looking={look.isPending} />}</Loaded>
				{look.isError && <Failure error={look.error} retry={() => look.mutate()} />}
			</Stack>
			{last.data?.ran_at && <Rows rows={last.data.rows} />}
		</Card>
	)
}

function Summary({ found, looking }: { found: Found; looking: boolean }) {
	const when = found.ran_at
	const all = found.rows.length > 0 && found.counts.ok === found.rows.length
	return (
		<>
			<Group gap="xs">
				{when && STATES.filter((s) => found.counts[s] > 0).map((s) => <Tone key={s} tone={TONES[s]}>{`${found.counts[s]} ${stateName(s)}`}</Tone>)}
				<Text size="sm" c="dimmed" role="status">
					{looking ? (
						t('It is looked at now; that takes a minute at most, and nothing is changed.')
					) : when ? (
						<>
							{t('Last looked at')} <Time at={when} /> (<Relative at={when} />){found.node && ` · ${found.node}`}
						</>
					) : null}
				</Text>
			</Group>
			{!when && !looking && <Empty title={t('It was not looked at yet')}>{t('Configuration, disk, clock, every vendor, view, provider and mail server, jobs and the backup are looked at; nothing is changed.')}</Empty>}
			{all && <Notice tone="good" title={t('Everything is right.')} />}
			<Text size="sm" c="dimmed">
				{t('What the running server sees. On its host, “certwright doctor” also looks at the host itself, even when the server is down.')}
			</Text>
		</>
	)
}

/** What is right is not in the way of what is not. */
function Rows({ rows }: { rows: Row[] }) {
	const [open, setOpen] = useState(false)
	const right = rows.filter((r) => r.state === 'ok').length
	const shown = rows
		.map((row, at) => ({ row, at }))
		.filter(({ row }) => open || row.state !== 'ok')
		.sort((a, b) => STATES.indexOf(a.row.state) - STATES.indexOf(b.row.state))
	return (
		<>
			{shown.length > 0 && (
				<PlainTable
					label={t('Is everything right?')}
					rows={shown}
					rowKey={({ at }) => String(at)}
					columns={[
						{ title: t('State'), width: 140, render: ({ row }) => <Tone tone={TONES[row.state]}>{stateName(row.state)}</Tone> },
						{
							title: t('What'),
							width: 240,
							render: ({ row }) => (
								<>
									{checkName(row.check)}
									{row.about && (
										<Text size="sm" c="dimmed" className="break">
											<Soft text={row.about} />
										</Text>
									)}
								</>
							),
						},
						{ title: t('What was seen, and what to do'), render: ({ row }) => <div className="break"><Said text={row.text} todo={row.todo} /></div> },
					]}
				/>
			)}
			{right > 0 && (
				<div className="card-pad">
					<Button size="compact-sm" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>
						{open ? t('Hide what is right') : plural(right, 'Show {n} that is right', 'Show {n} that are right')}
					</Button>
				</div>
			)}
		</>
	)
}
