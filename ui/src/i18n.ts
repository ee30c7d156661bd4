// SPDX-License-Identifier: Apache-2.0
// Messages. The English sentence is the key: t('Order {n} is ready', { n: 12 }). Another language is a map from the English
// sentences; `npm run messages` writes every sentence used into src/messages/en.json, which is what a translator starts from.

type Catalogue = Record<string, string>

const catalogues: Record<string, Catalogue> = {}
let current: Catalogue = {}

export function chooseLanguage(languages: readonly string[]): string {
	for (const l of languages) {
		const key = l.slice(0, 2).toLowerCase()
		if (key === 'en') break
		const found = catalogues[key]
		if (found) {
			current = found
			return key
		}
	}
	current = {}
	return 'en'
}

export function t(text: string, values?: Record<string, string | number>): string {
	const s = current[text] ?? text
	return values ? s.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all)) : s
}

/** One of two sentences by number; both are given the number as {n}. */
export function plural(n: number, one: string, many: string, values?: Record<string, string | number>): string {
	return t(n === 1 ? one : many, { n, ...values })
}
