// SPDX-License-Identifier: Apache-2.0
// Integrations › ACME › Orders: the list and what can be done with a row.
import { ActionIcon, Button, Menu, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { api, downloadOrderCertificate, remove, unwrap, type Order } from '../api/client'
import { useMay } from '../api/session'
import { t } from '../i18n'
import { Clipped, Empty, isLive, Names, OrderStatus, sentence, Soft, Staging, Time } from '../parts/bits'
import { CopyAs } from '../parts/copy-as'
import { Confirm, useAct } from '../parts/form'
import { Icon } from '../parts/icon'
import { Page } from '../parts/page'
import { Choose, DataTable, FindText, NoneFits, useFilters, useSort } from '../parts/table'
import { accountLabel } from './accounts'
import { CreateOrder } from './order-create'

const STATUSES = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const
type OrderStatusName = (typeof STATUSES)[number]

export function OrdersPage() {
	const may = useMay()
	const [, go] = useLocation()
	const [search, setSearch] = useSearchParams()
	const [{ status, account, name }, narrow] = useFilters('status', 'account', 'name')
	const order = useSort(['name', 'status'], 'newest')
	/* What has a part of a name is walked by time. */
	const sort = name && order.sort !== 'oldest' ? 'newest' : order.sort
	const by = (word: 'name' | 'status') => (name ? undefined : order.by(word))
	const accounts = useQuery({ queryKey: ['accounts', 'all'], queryFn: () => unwrap(api.GET('/accounts', { params: { query: { limit: 200 } } })) })
	const creating = search.get('create') !== null
	const csr = search.get('csr') ?? undefined
	const begin = (on: boolean) =>
		setSearch(
			(now) => {
				const p = new URLSearchParams(now)
				p.delete('csr')
				if (on) p.set('create', '')
				else p.delete('create')
				return p
			},
			{ replace: true },
		)
	const query = { ...(status ? { status: status as OrderStatusName } : {}), ...(account ? { account_id: account } : {}), ...(name ? { name } : {}), ...(sort !== 'newest' ? { sort } : {}) }
	const words = Object.entries(query).flatMap(([k, v]) => [`--${k.replace('_id', '')}`, v])
	const create = may('order') && (
		<Button leftSection={<Icon name="plus" size={16} />} onClick={() => begin(true)}>
			{t('Create ACME Order')}
		</Button>
	)
	return (
		<Page title={t('Orders')} crumbs={[{ text: t('Integrations') }, { text: t('ACME') }]} actions={<>{create}<CopyAs path={`/orders${words.length ? `?${new URLSearchParams(query)}` : ''}`} cli={['order', 'list', ...words]} /></>}>
			<DataTable<Order>
				label={t('Orders')}
				queryKey={['orders', 'list', query]}
				read={({ limit, cursor }) => unwrap(api.GET('/orders', { params: { query: { ...query, limit, cursor } } }))}
				rowKey={(o) => o.id}
				filters={
					<>
						<FindText value={name} label={t('Search the orders')} hint={t('Part of a name')} onChange={(next) => narrow({ name: next })} />
						<Choose label={t('Order Status')} all={t('Every status')} value={status} onChange={(next) => narrow({ status: next })} data={STATUSES.map((x) => ({ value: x, label: x }))} />
						{(accounts.data?.items.length ?? 0) > 1 && <Choose label={t('Account')} all={t('Every account')} value={account} onChange={(next) => narrow({ account: next })} data={(accounts.data?.items ?? []).map((a) => ({ value: String(a.num), label: accountLabel(a) }))} />}
					</>
				}
				empty={
					name || status || account ? (
						<NoneFits />
					) : (
						<Empty title={t('No order yet')} action={create}>
							{t('An order asks a certificate authority for one certificate and follows it until the certificate is here.')}
						</Empty>
					)
				}
				columns={[
					{ title: t('Order Id'), nowrap: true, render: (o) => <Link href={`/orders/${o.num}`} title={o.id}>{o.num}</Link> },
					{ title: t('External DNS'), render: (o) => (o.validation === 'dns-01' ? o.external_dns || '–' : '–') },
					{ title: t('Domain Name'), width: 150, sort: by('name'), render: (o) => <Link href={`/orders/${o.num}`}><Names names={o.names} display={o.display_names} /></Link> },
					{
						title: t('Vendor'),
						render: (o) => (
							<>
								{o.vendor_title} <Staging on={o.staging} />
							</>
						),
					},
					{ title: t('Account Email'), render: (o) => <Soft text={o.account_email || o.account_name} /> },
					{ title: t('Validation Type'), nowrap: true, render: (o) => o.validation },
					{
						title: t('Order Status'),
						sort: by('status'),
						render: (o) => (
							<>
								<OrderStatus order={o} />
								{isLive(o) && (
									<Text c="dimmed" size="xs" mt={2} className="nowrap">
										{sentence(o.stage)}
									</Text>
								)}
							</>
						),
					},
					{ title: t('Order Validation Record'), render: (o) => (o.validation_record ? <Clipped text={o.validation_record} /> : '–') },
					{ title: t('Created At'), sort: { ...order.when, active: sort === 'newest' || sort === 'oldest' }, render: (o) => <Time at={o.created_at} show="two" /> },
					{ title: t('Actions'), hideTitle: true, end: true, width: 60, render: (o) => <OrderMenu order={o} onDeleted={() => {}} /> },
				]}
			/>
			{creating && may('order') && <CreateOrder csrId={csr} onClose={() => begin(false)} onCreated={(o) => go(`/orders/${o.num}`)} />}
		</Page>
	)
}

export function useOrderActions(order: Order) {
	const { busy, act } = useAct()
	const params = { params: { path: { id: order.id } } }
	return {
		busy,
		refresh: () => act('refresh', () => unwrap(api.POST('/orders/{id}/refresh', params)), t('Order {n} is looked at now.', { n: order.num }), ['orders', 'records']),
		finalize: () => act('finalize', () => unwrap(api.POST('/orders/{id}/finalize', params)), t('Order {n} is being finalized.', { n: order.num }), ['orders']),
		download: () => act('download', () => downloadOrderCertificate(order), null, ['certificates']),
	}
}

export function OrderMenu({ order, onDeleted }: { order: Order; onDeleted: () => void }) {
	const may = useMay()
	const { refresh, finalize, download } = useOrderActions(order)
	const [deleting, setDeleting] = useState(false)
	return (
		<>
			<Menu position="bottom-end" withinPortal>
				<Menu.Target>
					<ActionIcon variant="subtle" color="gray" aria-label={t('Actions of order {n}', { n: order.num })}>
						<Icon name="more" />
					</ActionIcon>
				</Menu.Target>
				<Menu.Dropdown>
					{may('order') && (
						<>
							<Menu.Item leftSection={<Icon name="refresh" size={16} />} disabled={!isLive(order)} onClick={() => void refresh()}>
								{t('Refresh Order')}
							</Menu.Item>
							<Menu.Item leftSection={<Icon name="finalize" size={16} />} disabled={order.status !== 'ready'} onClick={() => void finalize()}>
								{t('Finalize Order')}
							</Menu.Item>
						</>
					)}
					<Menu.Item leftSection={<Icon name="download" size={16} />} disabled={order.status !== 'valid'} onClick={() => void download()}>
						{t('Download Certificate')}
					</Menu.Item>
					{may('order') && (
						<>
							<Menu.Divider />
							<Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(true)}>
								{t('Delete Order')}
							</Menu.Item>
						</>
					)}
				</Menu.Dropdown>
			</Menu>
			<DeleteOrder order={order} opened={deleting} onClose={() => setDeleting(false)} onDeleted={onDeleted} />
		</>
	)
}

export function DeleteOrder({ order, opened, onClose, onDeleted }: { order: Order; opened: boolean; onClose: () => void; onDeleted: () => void }) {
	return (
		<Confirm
			opened={opened}
			title={t('Delete order {n}', { n: order.num })}
			action={t('Delete Order')}
			onClose={onClose}
			run={async () => {
				await remove('/orders/{id}', order.id)
				onDeleted()
			}}
			done={t('Order {n} is deleted.', { n: order.num })}
			reads={['orders', 'records', 'status']}
		>
			<ul style={{ paddingLeft: 20, margin: 0 }}>
				{isLive(order) && <li>{t('The order is stopped where it stands, and its challenge records are withdrawn.')}</li>}
				<li>{t('It disappears from the lists.')}</li>
				<li>{t('CSR, key and certificate stay.')}</li>
			</ul>
		</Confirm>
	)
}
