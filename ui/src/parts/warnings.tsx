// SPDX-License-Identifier: Apache-2.0
// What is wrong with how the server is set up, on every page, for as long as it is so. The words are the server's own.
import { useQuery } from '@tanstack/react-query'
import { every } from '../api/awake'
import { api, unwrap } from '../api/client'
import { Notice } from './bits'

export function Warnings() {
	const status = useQuery({ queryKey: ['status'], queryFn: () => unwrap(api.GET('/status')), refetchInterval: every(60_000) })
	return (
		<>
			{(status.data?.warnings ?? []).map((w) => (
				<Notice key={w.code} tone="warn" title={w.detail}>
					{w.hint}
				</Notice>
			))}
		</>
	)
}
