// SPDX-License-Identifier: Apache-2.0
// messages.mjs - every sentence given to t() and plural(), into src/messages/en.json. --check fails when that is not up to date.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const found = new Set()

function walk(dir) {
	for (const name of readdirSync(dir)) {
		const path = join(dir, name)
		if (statSync(path).isDirectory()) walk(path)
		else if (/\.tsx?$/.test(name) && name !== 'schema.ts') read(path)
	}
}

function read(path) {
	const visit = (node) => {
		if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
			const fn = node.expression.text
			const args = fn === 't' ? node.arguments.slice(0, 1) : fn === 'plural' ? node.arguments.slice(1, 3) : []
			for (const a of args) {
				if (ts.isStringLiteralLike(a)) found.add(a.text)
				else if (ts.isConditionalExpression(a)) for (const b of [a.whenTrue, a.whenFalse]) if (ts.isStringLiteralLike(b)) found.add(b.text)
			}
		}
		ts.forEachChild(node, visit)
	}
	visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX))
}

walk(join(top, 'src'))
const text = JSON.stringify(Object.fromEntries([...found].sort().map((s) => [s, s])), null, '\t') + '\n'
const file = join(top, 'src/messages/en.json')
if (process.argv.includes('--check')) {
	let now = ''
	try {
		now = readFileSync(file, 'utf8')
	} catch {}
	if (now !== text) {
		console.error('src/messages/en.json is not up to date: npm run messages')
		process.exit(1)
	}
} else {
	mkdirSync(dirname(file), { recursive: true })
	writeFileSync(file, text)
	console.log(`${found.size} sentences`)
}
