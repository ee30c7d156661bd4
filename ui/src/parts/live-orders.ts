// SPDX-License-Identifier: Apache-2.0
// The orders in flight: the frame counts those that wait for a person, the dashboard shows them.
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'

export const LIVE = ['pending', 'ready', 'processing'] as const

export function useLiveOrders() {
	return useQuery({
		queryKey: ['orders', 'live'],
		queryFn: async () => {
			const pages = await Promise.all(LIVE.map((status) => unwrap(api.GET('/orders', { params: { query: { status, limit: 50 } } }))))
			return pages.flatMap((p) => p.items).sort((a, b) => b.created_at.localeCompare(a.created_at))
		},
	})
}
