// SPDX-License-Identifier: Apache-2.0
// Delegations: the NS record to copy, a live look at each, what the Internet asked lately, many from a list, and lines for BIND.
import { ActionIcon, Button, Code, Group, Menu, Modal, NativeSelect, Stack, Text, Textarea, TextInput, type NativeSelectProps } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { api, finish, remove, unwrap, type Delegation, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { CopyButton, CopyLine, Empty, Failure, Notice, Soft, Time, Tone, type ToneName } from '../parts/bits'
import { CopyAs } from '../parts/copy-as'
import { Confirm, FormDialog, useAct, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { FactList, stateName, worst } from '../parts/looks'
import { DataTable, FindText, NoneFits, PlainTable, useFilters, useNewestFirst } from '../parts/table'
import { useWriters } from './external-dns'

type Asked = Schemas['Asked']
type Line = Schemas['DelegationLine']

const TONES: Record<ReturnType<typeof worst>, ToneName> = { good: 'good', warn: 'warn', bad: 'bad', unknown: 'calm' }

export function Delegations({ onAdd }: { onAdd: () => void }) {
	const may = useMay()
	const { busy, act } = useAct()
	const [{ name }, narrow] = useFilters('name')
	const { sort, head } = useNewestFirst()
	const query = { ...(name ? { name } : {}), ...(sort ? { sort } : {}) }
	const words = Object.entries(query).flatMap(([k, v]) => [`--${k}`, v])
	const [deleting, setDeleting] = useState<Delegation | null>(null)
	const [open, setOpen] = useState<Delegation | null>(null)
	const [pasting, setPasting] = useState(false)
	const [lines, setLines] = useState(false)
	const check = async (d: Delegation) => {
		const seen = await finish<Delegation>(await api.POST('/delegations/{id}/check', { params: { path: { id: d.id } } }), async () => unwrap(api.GET('/delegations/{id}', { params: { path: { id: d.id } } })))
		setOpen(seen)
	}
	return (
		<>
			<Group mb="sm" gap="xs">
				{may('order') && (
					<Button variant="default" size="compact-md" onClick={() => setPasting(true)}>
						{t('Add from a list')}
					</Button>
				)}
				<Button variant="default" size="compact-md" leftSection={<Icon name="copy" size={16} />} onClick={() => setLines(true)}>
					{t('Missing lines for BIND')}
				</Button>
				<CopyAs path={`/delegations${words.length ? `?${new URLSearchParams(query)}` : ''}`} cli={['delegation', 'list', ...words]} />
			</Group>
			<DataTable<Delegation>
				label={t('Delegations')}
				queryKey={['delegations', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/delegations', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(d) => d.id}
				filters={<FindText value={name} least={1} label={t('Search the delegations')} hint={t('Part of a name')} onChange={(next) => narrow({ name: next })} />}
				empty={
					name ? <NoneFits /> : <Empty title={t('No delegation yet')} action={may('order') && <Button onClick={onAdd}>{t('Add Delegation')}</Button>}>
						{t('Delegate _acme-challenge of a name to Certwright once, and it answers every challenge for that name by itself. The first dns-01 order by delegation adds its names here.')}
					</Empty>
				}
				columns={[
					{ title: t('Name'), render: (d) => <Soft text={d.name} /> },
					{ title: t('Record to set'), render: (d) => <CopyLine value={d.ns_line ?? d.cname_line ?? ''} what={d.ns_line ? t('the NS record') : t('the CNAME record')} /> },
					{
						title: t('Last look'),
						render: (d) =>
							d.facts ? (
								<Button variant="transparent" p={0} size="compact-md" onClick={() => setOpen(d)}>
									{d.away ? <Tone tone="bad">{t('gone elsewhere')}</Tone> : <Tone tone={TONES[worst(d.facts)]}>{stateName(worst(d.facts))}</Tone>}
								</Button>
							) : (
								<Tone tone="calm">{t('not looked at yet')}</Tone>
							),
					},
					{ title: t('Created At'), sort: head, render: (d) => <Time at={d.created_at} show="two" /> },
					{
						title: t('Actions'),
						hideTitle: true,
						end: true,
						width: 170,
						render: (d) => (
							<Group gap="xs" justify="flex-end" wrap="nowrap">
								{may('order') && (
									<Button size="compact-sm" variant="default" loading={busy === d.id} onClick={() => void act(d.id, () => check(d), null, ['delegations'])}>
										{t('Look now')}
									</Button>
								)}
								<Menu position="bottom-end" withinPortal>
									<Menu.Target>
										<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of the delegation of {name}', { name: d.name })}>
											<Icon name="more" />
										</ActionIcon>
									</Menu.Target>
									<Menu.Dropdown>
										<Menu.Item leftSection={<Icon name="info" size={16} />} onClick={() => setOpen(d)}>
											{t('What was seen and asked')}
										</Menu.Item>
										{may('order') && (
											<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(d)}>
												{t('Delete delegation')}
											</Menu.Item>
										)}
									</Menu.Dropdown>
								</Menu>
							</Group>
						),
					},
				]}
			/>
			{open && <Seen delegation={open} onClose={() => setOpen(null)} />}
			{pasting && <Paste onClose={() => setPasting(false)} />}
			{lines && <Lines onClose={() => setLines(false)} />}
			{deleting && (
				<Confirm opened title={t('Delete delegation')} action={t('Delete delegation')} onClose={() => setDeleting(null)} run={() => remove('/delegations/{id}', deleting.id)} done={t('The delegation is deleted.')} reads={['delegations']}>
					{deleting.target
						? t('Orders and renewals of {name} will not be written at {target} any more; remove the CNAME record from its DNS too.', { name: deleting.name, target: deleting.target })
						: t('Certwright stops answering for {zone}. Orders and renewals of {name} by delegation will fail until it is delegated again; remove the NS record from its DNS too.', { zone: deleting.zone, name: deleting.name })}
				</Confirm>
			)}
		</>
	)
}

/** The look is advice; what the Internet asked is the proof. */
function Seen({ delegation, onClose }: { delegation: Delegation; onClose: () => void }) {
	const asked = useQuery({ queryKey: ['delegations', 'asked', delegation.id], queryFn: () => unwrap(api.GET('/delegations/{id}/asked', { params: { path: { id: delegation.id } } })), refetchInterval: 5_000 })
	const rows = asked.data?.items ?? []
	return (
		<Modal opened onClose={onClose} title={delegation.zone} size="xl">
			<Stack gap="lg">
				{delegation.ns_line && <CopyLine value={delegation.ns_line} what={t('the NS record')} />}
				{delegation.cname_line && (
					<>
						{delegation.ns_line && (
							<Text size="sm" c="dimmed">
								{t('Or, where the parent zone cannot delegate, this alias. One of the two, never both.')}
							</Text>
						)}
						<CopyLine value={delegation.cname_line} what={t('the CNAME record')} />
					</>
				)}
				{delegation.away && (
					<Notice tone="bad">
						{delegation.target ? t('It led to its provider and does not any more:') : t('It was delegated to this server and is not any more:')} {delegation.away}
					</Notice>
				)}
				<div>
					<Text fw={600} mb={4}>
						{t('What is seen from here')} {delegation.looked_at && <Text span c="dimmed" fw={400} size="sm"><Time at={delegation.looked_at} /></Text>}
					</Text>
					{delegation.facts ? <FactList facts={delegation.facts} label={t('What is seen from here')} /> : <Text c="dimmed">{t('Nobody has looked yet.')}</Text>}
				</div>
				{!delegation.target && (
				<div>
					<Text fw={600} mb={4}>
						{t('What the Internet asked lately')}
					</Text>
					<Text size="sm" c="dimmed" mb="xs">
						{t('The real proof: who is asked here was sent by the parent zone.')}
					</Text>
					{asked.isError && <Failure error={asked.error} retry={() => void asked.refetch()} />}
					{rows.length === 0 && !asked.isError ? (
						<Text c="dimmed">{t('Nobody has asked yet. Ask once from outside: dig TXT {zone}', { zone: delegation.zone })}</Text>
					) : (
						<PlainTable<Asked>
							label={t('What the Internet asked lately')}
							rows={rows}
							rowKey={(a) => `${a.network} ${a.transport} ${a.type} ${a.answer}`}
							columns={[
								{ title: t('Last'), render: (a) => <Time at={a.last_at} show="two" /> },
								{ title: t('From'), render: (a) => <span className="mono">{a.network}</span> },
								{ title: t('By'), render: (a) => a.transport.toUpperCase() },
								{ title: t('Type'), render: (a) => a.type },
								{ title: t('Answer'), render: (a) => <Tone tone={a.answer === 'answered' ? 'good' : a.answer === 'empty' ? 'calm' : 'warn'}>{a.answer === 'answered' ? t('with the value') : a.answer === 'empty' ? t('nothing there') : a.answer}</Tone> },
								{ title: t('Times'), render: (a) => a.times },
							]}
						/>
					)}
				</div>
				)}
			</Stack>
		</Modal>
	)
}

/** Who answers for a delegated name: this server, or the provider to whose zone it leads. */
export function AnsweredBy(props: NativeSelectProps) {
	const writers = useWriters()
	return <NativeSelect label={t('Answered by')} description={t('A provider of External DNS: the name leads by CNAME into a zone that it holds.')} data={[{ value: '', label: t('this server (NS record)') }, ...writers]} {...props} />
}

function Paste({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const [rows, setRows] = useState<Line[] | null>(null)
	const words: Record<Line['result'], string> = { made: t('added'), exists: t('was there'), refused: t('refused') }
	const form = useForm({ initialValues: { text: '', provider_id: '', zone: '' }, validate: { text: (v) => (v.trim() ? null : t('Give a domain name.')) } })
	const leads = form.values.provider_id !== ''
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const zone = v.zone.trim()
		const got = await unwrap(api.POST('/delegation-list', { body: { text: v.text, ...(v.provider_id ? { provider_id: v.provider_id, ...(zone ? { zone } : {}) } : {}) } }))
		setRows(got.items)
		void client.invalidateQueries({ queryKey: ['delegations'] })
		notifications.show({ message: t('{n} delegations are added.', { n: got.items.filter((r) => r.result === 'made').length }), color: 'green' })
	})
	if (rows)
		return (
			<Modal opened onClose={onClose} title={t('Add delegations from a list')} size="xl">
				<PlainTable<Line>
					label={t('What came of each line')}
					rows={rows}
					rowKey={(r) => String(r.line)}
					columns={[
						{ title: t('Line'), render: (r) => r.line },
						{ title: t('Name'), render: (r) => <span className="mono break">{r.name ?? r.typed}</span> },
						...(rows.some((r) => r.target) ? [{ title: t('Leads to'), render: (r: Line) => <span className="mono break"><Soft text={r.target ?? ''} /></span> }] : []),
						{ title: t('Result'), render: (r) => <Tone tone={r.result === 'made' ? 'good' : r.result === 'exists' ? 'calm' : 'bad'} title={r.detail ?? undefined}>{words[r.result]}</Tone> },
						{ title: t('Why'), render: (r) => r.detail ?? '' },
					]}
				/>
				<Group justify="flex-end" mt="md">
					<Button variant="default" onClick={onClose}>
						{t('Done')}
					</Button>
				</Group>
			</Modal>
		)
	return (
		<FormDialog opened title={t('Add delegations from a list')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Add them')}>
			<AnsweredBy {...form.getInputProps('provider_id')} />
			{leads && <TextInput label={t('Zone into which they lead')} placeholder="acme.example.net" description={t('A line that does not say where it leads leads to _acme-challenge.NAME in this zone.')} classNames={{ input: 'mono' }} spellCheck={false} {...form.getInputProps('zone')} />}
			<Textarea
				label={t('Domain Names')}
				description={leads ? t('One a line, perhaps with where it leads: NAME TARGET, or NAME IN CNAME TARGET as a zone file has it. What stands behind # counts for nothing.') : t('One a line. A wildcard needs the name without “*.”; what stands behind # counts for nothing.')}
				autosize
				minRows={6}
				maxRows={16}
				classNames={{ input: 'mono' }}
				spellCheck={false}
				data-autofocus
				{...form.getInputProps('text')}
			/>
		</FormDialog>
	)
}

function Lines({ onClose }: { onClose: () => void }) {
	const lines = useQuery({ queryKey: ['delegations', 'lines'], queryFn: async () => String(await unwrap(api.GET('/delegations.zone', { parseAs: 'text' }) as never)), staleTime: 0 })
	return (
		<Modal opened onClose={onClose} title={t('Lines for the parent zones')} size="xl">
			<Stack gap="sm">
				<Text c="dimmed" size="sm">
					{t('The NS and CNAME records of all names that the last look did not find as they should be, as BIND reads them.')}
				</Text>
				{lines.isError ? (
					<Failure error={lines.error} retry={() => void lines.refetch()} />
				) : lines.data ? (
					<Group align="flex-start" wrap="nowrap">
						<Code block style={{ flex: 1, maxHeight: 420, overflow: 'auto' }}>
							{lines.data}
						</Code>
						<CopyButton value={lines.data} what={t('the lines')} />
					</Group>
				) : lines.isSuccess ? (
					<Text>{t('Nothing is missing.')}</Text>
				) : null}
			</Stack>
		</Modal>
	)
}
