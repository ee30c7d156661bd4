// SPDX-License-Identifier: Apache-2.0
// Names as people type or paste them: lists with commas, lines, addresses with a scheme, configuration lines.

export function parseNames(text: string): string[] {
	const out: string[] = []
	for (const word of text.split(/[\s,;"'()[\]{}<>|]+/)) {
		let n = word.trim().replace(/^(DNS|dns):/, '')
		n = n.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[/?#].*$/, '')
		n = n.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase()
		if (n && !out.includes(n)) out.push(n)
	}
	return out
}

export function isWildcard(name: string): boolean {
	return name.startsWith('*.')
}

/** The zones that hold the challenges of these names; a name and its wildcard share one. */
export function challengeZones(names: string[]): string[] {
	return [...new Set(names.map((n) => `_acme-challenge.${n.replace(/^\*\./, '')}`))]
}

/** What is wrong with a name before it is sent, or null. The server has the last word. */
export function nameProblem(name: string): 'letters' | 'long' | 'single' | null {
	const rest = name.replace(/^\*\./, '')
	if (rest.length > 253 || rest.split('.').some((l) => l.length > 63)) return 'long'
	if (!/^[^\s*@/:]+$/.test(rest) || rest.split('.').some((l) => !l)) return 'letters'
	if (!rest.includes('.')) return 'single'
	return null
}
