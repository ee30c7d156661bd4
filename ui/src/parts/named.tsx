// SPDX-License-Identifier: Apache-2.0
// Lists of what people name themselves (users, tokens, providers, rules, views, channels): a part of the name, one word more, and
// the order, all in the address bar and all done by the server.
import { t } from '../i18n'
import { Choose, FindText, useFilters, useSort } from './table'

interface Only<K extends string, V extends string> {
	key: K
	label: string
	all: string
	data: readonly { value: V; label: string }[]
}

interface Options<K extends string, V extends string, W extends string> {
	/** What the field is called that looks for a part of the name, and what stands in it. */
	search: string
	hint?: string
	only?: Only<K, V>
	/** What stands first when the address bar says nothing. */
	first?: 'newest' | 'oldest'
	/** Orders besides time and name. */
	also?: readonly W[]
	/** Tells two lists of one page apart in the address bar. */
	prefix?: string
}

export function useNamedList<K extends string = never, V extends string = never, W extends string = never>({ search, hint, only, first = 'newest', also = [], prefix = '' }: Options<K, V, W>) {
	const [nameKey, onlyKey] = [`${prefix}name`, `${prefix}${only?.key ?? ''}`]
	const [values, narrow] = useFilters(nameKey, ...(only ? [onlyKey] : []))
	const { sort, when, by } = useSort(['name', ...also] as const, first, `${prefix}sort`)
	const [name, word] = [values[nameKey] ?? '', (only && values[onlyKey]) ?? '']
	return {
		query: { sort, ...(name ? { name } : {}), ...(only && word ? { [only.key]: word } : {}) } as { sort: typeof sort; name?: string } & { [P in K]?: V },
		narrowed: Boolean(name || word),
		when,
		by,
		filters: (
			<>
				<FindText value={name} least={1} label={search} hint={hint ?? t('Part of a name')} onChange={(next) => narrow({ [nameKey]: next })} />
				{only && <Choose label={only.label} all={only.all} value={word} onChange={(next) => narrow({ [onlyKey]: next })} data={only.data} />}
			</>
		),
	}
}
