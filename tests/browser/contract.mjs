// SPDX-License-Identifier: Apache-2.0
// contract.mjs - what the server takes as a query and in a body, read from its own description: the mock refuses what the server would,
// and hostile text is put wherever the server takes text.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(fileURLToPath(import.meta.url), '../../..')
const yaml = createRequire(join(top, 'ui/package.json'))('js-yaml')
const contract = yaml.load(readFileSync(join(top, 'src/api/openapi.yaml'), 'utf8'))

const named = (kind, x) => (x.$ref ? named(kind, contract.components[kind][x.$ref.split('/').at(-1)]) : x)
const resolve = (p) => named('parameters', p)
const routes = Object.entries(contract.paths)
	.filter(([, item]) => item.get)
	.map(([template, item]) => ({
		re: new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
		literal: !template.includes('{'),
		query: new Map([...(item.parameters ?? []), ...(item.get.parameters ?? [])].map(resolve).filter((p) => p.in === 'query').map((p) => [p.name, p.schema ?? {}])),
	}))
	.sort((a, b) => b.literal - a.literal)

/** Why the server would refuse to GET path (without /api/v1) with this query; null when it would not. */
export function refusal(path, query) {
	const route = routes.find((r) => r.re.test(path))
	if (!route) return `there is no ${path}`
	for (const [name, value] of query) {
		const schema = route.query.get(name)
		if (!schema) return `${path} takes no ${name}`
		if (schema.enum && !schema.enum.includes(value)) return `${name} of ${path} is one of ${schema.enum.join(', ')}`
		if (value.length < (schema.minLength ?? 0) || value.length > (schema.maxLength ?? Infinity)) return `${name} of ${path} has ${schema.minLength ?? 0} to ${schema.maxLength} characters`
		if (schema.type === 'integer' && !/^-?\d+$/.test(value)) return `${name} of ${path} is a number`
	}
	return null
}

/** Every place of a value where a text may stand that is not one of a few words: the keys that lead there, and how long it may be. */
function texts(schema, keys = []) {
	const s = named('schemas', schema)
	const is = (type) => [s.type].flat().includes(type)
	return [
		...['allOf', 'anyOf', 'oneOf'].flatMap((k) => (s[k] ?? []).flatMap((x) => texts(x, keys))),
		...(is('string') && !s.enum ? [{ keys, longest: s.maxLength ?? 1024 }] : []),
		...(is('array') ? texts(s.items ?? {}, [...keys, 0]) : []),
		...Object.entries(s.properties ?? {}).flatMap(([name, x]) => texts(x, [...keys, name])),
		...(typeof s.additionalProperties === 'object' ? texts(s.additionalProperties, [...keys, 'xss.bank.test']) : []),
	]
}

/** Every request with a body: its method, path and schema, and where texts stand in it. */
export const bodies = Object.entries(contract.paths).flatMap(([path, item]) =>
	['post', 'put', 'patch']
		.map((method) => [method.toUpperCase(), item[method]?.requestBody?.content?.['application/json']?.schema])
		.filter(([, schema]) => schema)
		.map(([method, schema]) => ({ method, path, schema: named('schemas', schema), texts: texts(schema) })),
)

/** A body with what is required, from values for its names, else the first that the schema allows. */
export function least(schema, values) {
	const one = (x, name) => {
		const s = named('schemas', x)
		if (s.enum) return s.enum[0]
		const type = [s.type].flat()[0]
		return type === 'array' ? [one(s.items ?? { type: 'string' }, name)] : type === 'object' ? {} : type === 'boolean' ? false : type === 'integer' ? (s.minimum ?? 1) : 'x'
	}
	return Object.fromEntries((schema.required ?? []).map((name) => [name, values[name] ?? one(schema.properties[name], name)]))
}
