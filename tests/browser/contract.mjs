// SPDX-License-Identifier: Apache-2.0
// contract.mjs - what the server takes as a query, read from its own description, so that the mock refuses what the server would.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(fileURLToPath(import.meta.url), '../../..')
const yaml = createRequire(join(top, 'ui/package.json'))('js-yaml')
const contract = yaml.load(readFileSync(join(top, 'src/api/openapi.yaml'), 'utf8'))

const resolve = (p) => (p.$ref ? contract.components.parameters[p.$ref.split('/').at(-1)] : p)
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
