// SPDX-License-Identifier: Apache-2.0
// mock-list.mjs - what the mock's lists are narrowed to and how they are ordered, for every list alike. What may be asked of which list
// the contract says (contract.mjs), before.

const EXACT = ['status', 'kind', 'state', 'key_type', 'vendor', 'order_id', 'role', 'method', 'view_id', 'domain']
const lower = (text) => (text ?? '').toLowerCase()
const nameOf = (row) => lower(row.name ?? row.suffix)

const ORDERS = {
	oldest: (list) => [...list].reverse(),
	name: (list) => [...list].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
	expires: (list) => [...list].sort((a, b) => ((a.expires_at ?? a.not_after) < (b.expires_at ?? b.not_after) ? -1 : 1)),
}

/** The rows of a list that has the newest first, as the query wants them. */
export function narrowed(list, query) {
	const part = lower(query.get('name'))
	const kept = list.filter((row) => EXACT.every((key) => !query.get(key) || row[key] === query.get(key)) && (!part || [row.name, row.suffix, ...(row.names ?? [])].some((n) => lower(n).includes(part))))
	return (ORDERS[query.get('sort')] ?? ((rows) => rows))(kept)
}
