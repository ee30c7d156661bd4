// SPDX-License-Identifier: Apache-2.0
// messages.mjs - every sentence given to t() and plural(), into src/messages/en.json. --check fails when that is not up to date or a
// translation has other values than its sentence; --complete fails when a translation lacks one, and names them.
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
const text = (map) => JSON.stringify(Object.fromEntries([...found].sort().map((s) => [s, map(s)]).filter(([, v]) => v !== undefined)), null, '\t') + '\n'
const folder = join(top, 'src/messages')
const check = process.argv.includes('--check')
const holes = (s) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).filter((h, i, all) => all.indexOf(h) === i).sort().join()
const complete = process.argv.includes('--complete')
let bad = 0
let lacking = 0

function keep(name, wanted) {
	let now = ''
	try {
		now = readFileSync(join(folder, name), 'utf8')
	} catch {}
	if (now === wanted) return
	if (!check) return writeFileSync(join(folder, name), wanted)
	console.error(`src/messages/${name} is not up to date: npm run messages`)
	bad++
}

mkdirSync(folder, { recursive: true })
keep('en.json', text((s) => s))
/* A translation keeps its order and loses what nobody says any more; what it lacks is shown in English, and told here. */
for (const name of readdirSync(folder)) {
	if (name === 'en.json' || !name.endsWith('.json')) continue
	const has = JSON.parse(readFileSync(join(folder, name), 'utf8'))
	keep(name, text((s) => has[s]))
	for (const s of found) {
		if (has[s] === undefined) {
			lacking++
			if (complete) console.error(`src/messages/${name} lacks: ${s}`)
		} else if (holes(has[s]) !== holes(s)) {
			console.error(`src/messages/${name} has other values in: ${s}`)
			bad++
		}
	}
}
if (!check && !complete) console.log(`${found.size} sentences, ${lacking} not translated yet`)
if ((check && bad) || (complete && lacking)) process.exit(1)
