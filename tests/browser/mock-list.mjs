// SPDX-License-Identifier: Apache-2.0
// mock-list.mjs - what the mock's lists are narrowed to and how they are ordered, for every list alike. What may be asked of which list
// the contract says (contract.mjs), before.

const EXACT = ['status', 'kind', 'state', 'key_type', 'vendor', 'order_id', 'role', 'method', 'view_id', 'domain']
const lower = (text) => (text ?? '').toLowerCase()
const nameOf = (row) => lower(row.name ?? row.suffix ?? row.names?.join('\n'))
const by = (key) => (list) => [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
/* Orders: what failed, what is under way, what is valid. */
const PLACES = ['invalid', 'pending', 'ready', 'processing', 'valid']
const placeOf = (row) => (PLACES.includes(row.status) ? String(PLACES.indexOf(row.status)) : `${row.status} ${row.not_after ?? ''}`)

const ORDERS = {
	oldest: (list) => [...list].reverse(),
	name: by(nameOf),
	expires: by((row) => row.expires_at ?? row.not_after),
	status: by(placeOf),
	issuer: by((row) => row.issuer ?? ''),
	owner: by((row) => row.owner ?? '\uffff'),
	issued: (list) => by((row) => row.not_before ?? '')(list).reverse(),
}

/** The rows of a list that has the newest first, as the query wants them. */
export function narrowed(list, query) {
	const part = lower(query.get('name'))
	const kept = list.filter((row) => EXACT.every((key) => !query.get(key) || row[key] === query.get(key)) && (!part || [row.name, row.suffix, ...(row.names ?? [])].some((n) => lower(n).includes(part))))
	return (ORDERS[query.get('sort')] ?? ((rows) => rows))(kept)
}
