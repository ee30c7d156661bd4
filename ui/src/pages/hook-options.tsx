// SPDX-License-Identifier: Apache-2.0
// Ask the hook: which options a kind of provider needs beside its fields, by the other side's own words, as fields that write the lines
// NAME=value of one secret. What the answer does not name stays a line below them.
import { Button, PasswordInput, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, finish, type Schemas } from '../api/client'
import { t } from '../i18n'
import { Failure, Linked, Notice } from '../parts/bits'

type Field = Schemas['ProviderField']
type Answer = Schemas['ProviderOptions']

/** Lines NAME=value: of the names, and all others as they are. The last of one name counts, as where the lines are read. */
function split(text: string, names: string[]) {
	const given: Record<string, string> = {}
	const rest: string[] = []
	for (const line of text.split('\n')) {
		const [, name, value] = /^\s*(?:export )?\s*([A-Za-z0-9_]+)\s*=(.*)$/.exec(line) ?? []
		if (name && names.includes(name)) given[name] = value ?? ''
		else rest.push(line)
	}
	return { given, rest: rest.join('\n') }
}

function join(given: Record<string, string>, rest: string) {
	const lines = Object.entries(given).filter(([, value]) => value !== '').map(([name, value]) => `${name}=${value}`)
	return [...lines, ...(rest === '' ? [] : [rest])].join('\n')
}

export function HookOptions({ kind, field, fields, stored, text, error, onChange }: { kind: string; field: Field; fields: Record<string, string>; stored: boolean; text: string; error?: string; onChange: (text: string) => void }) {
	const key = JSON.stringify([kind, fields])
	const ask = useMutation({
		mutationFn: async () => ({ key, answer: await finish<Answer>(await api.POST('/provider-options', { body: { kind, fields } }), (job) => Promise.resolve(job.result as Answer)) }),
	})
	/* An answer is one of the fields it was asked with. */
	const known = ask.data?.key === key ? ask.data.answer : null
	const { given, rest } = split(text, known?.options.map((o) => o.name) ?? [])
	return (
		<Stack gap="sm">
			<div>
				<Button variant="default" loading={ask.isPending} onClick={() => ask.mutate()}>
					{t('Ask the hook')}
				</Button>
				<Text size="sm" c="dimmed" mt={4}>
					{t('It says itself which options it takes. Nothing is saved, and no secret is part of the question.')}
				</Text>
			</div>
			{ask.isError && <Failure error={ask.error} />}
			{known && (
				<Notice tone={known.options.length ? 'good' : 'info'} live title={known.options.length ? t('{title} takes {n} options.', { title: known.title ?? t('The hook'), n: known.options.length }) : t('The hook names no option: write them as lines, by its documentation.')}>
					{known.site && <Linked text={known.site} />}
				</Notice>
			)}
			{known && stored && <Notice tone="warn">{t('What is stored is replaced as a whole: enter every option again, or none to keep them.')}</Notice>}
			{known?.options.map((o) => (
				<PasswordInput key={o.name} size="md" label={o.name} description={o.help} withAsterisk={o.required} placeholder={o.default ?? undefined} autoComplete="off" value={given[o.name] ?? ''} onChange={(e) => onChange(join({ ...given, [o.name]: e.currentTarget.value.replace(/[\r\n]/g, '') }, rest))} visibilityToggleButtonProps={{ 'aria-label': t('Show or hide {what}', { what: o.name }) }} />
			))}
			<Textarea size="md" label={known?.options.length ? t('Other options') : field.label} description={field.help} error={error} autosize minRows={known?.options.length ? 2 : 4} maxRows={12} classNames={{ input: 'mono' }} autoComplete="off" spellCheck={false} placeholder={stored ? t('set; leave empty to keep it') : undefined} value={rest} onChange={(e) => onChange(join(given, e.currentTarget.value))} />
		</Stack>
	)
}
