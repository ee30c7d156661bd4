// SPDX-License-Identifier: Apache-2.0
// Messages. The English sentence is the key: t('Order {n} is ready', { n: 12 }). Another language is a map from the English
// sentences; `npm run messages` writes every sentence used into src/messages/en.json, which is what a translator starts from, and
// --check tells which of them a translation lacks. A catalogue is loaded before the first picture, and only when it is wanted.

type Catalogue = Record<string, string>

/* Each in its own language. */
export const LANGUAGES: Record<string, string> = { en: 'English', tr: 'Türkçe' }
const LOAD: Record<string, () => Promise<{ default: Catalogue }>> = { tr: () => import('./messages/tr.json') }
const KEPT = 'cw-language'

let current: Catalogue = {}
let key = 'en'

function wanted(languages: readonly string[]): string {
	let kept: string | null = null
	try {
		kept = localStorage.getItem(KEPT)
	} catch {
		/* a browser that keeps nothing */
	}
	for (const l of [...(kept ? [kept] : []), ...languages]) {
		const k = l.slice(0, 2).toLowerCase()
		if (k in LANGUAGES) return k
	}
	return 'en'
}

export async function chooseLanguage(languages: readonly string[]): Promise<string> {
	const k = wanted(languages)
	try {
		current = (await LOAD[k]?.())?.default ?? {}
		key = k
	} catch {
		/* better English than nothing */
	}
	return key
}

export function language(): string {
	return key
}

/** What dates and numbers are written by: the browser's own kind of the language, if it has one. */
export function locale(): string {
	return navigator.languages.find((l) => l.slice(0, 2).toLowerCase() === key) ?? key
}

export function switchLanguage(k: string) {
	try {
		localStorage.setItem(KEPT, k)
	} catch {
		/* then for this once only */
	}
	location.reload()
}

export function t(text: string, values?: Record<string, string | number>): string {
	const s = current[text] ?? text
	return values ? s.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all)) : s
}

/** One of two sentences by number; both are given the number as {n}. */
export function plural(n: number, one: string, many: string, values?: Record<string, string | number>): string {
	return t(n === 1 ? one : many, { n, ...values })
}
