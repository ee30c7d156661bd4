// SPDX-License-Identifier: Apache-2.0
// Certificates made elsewhere: the dialog that takes them in, what people note down about one, and the search with its chips.
import { ActionIcon, Button, Checkbox, FileButton, Group, PasswordInput, Pill, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type CertificateDetail, type Schemas } from '../api/client'
import { t } from '../i18n'
import { Time, Tone } from '../parts/bits'
import { FormDialog, useSubmit } from '../parts/form'
import { Icon } from '../parts/icon'
import { ResultDialog, ResultTable } from '../parts/results'

const MOST = 190 * 1024

/** PEM goes as the text it is, everything else as base64. */
async function contentOf(file: File): Promise<string> {
	const bytes = new Uint8Array(await file.arrayBuffer())
	const text = new TextDecoder('utf-8').decode(bytes)
	if (text.includes('-----BEGIN ')) return text
	let raw = ''
	for (const b of bytes) raw += String.fromCharCode(b)
	return btoa(raw)
}

function resultText(result: Schemas['ImportRow']['result']): string {
	if (result === 'imported') return t('imported')
	if (result === 'key-added') return t('key added')
	if (result === 'known') return t('there already')
	return t('not imported')
}

function Rows({ rows }: { rows: Schemas['ImportRow'][] }) {
	return (
		<ResultTable
			label={t('What was imported')}
			rows={rows}
			result={(r) => <Tone tone={r.result === 'failed' ? 'bad' : r.result === 'known' ? 'calm' : 'good'}>{resultText(r.result)}</Tone>}
			name={(r) => r.names[0] ?? r.subject ?? '–'}
			more={[
				{ title: t('Expires'), render: (r) => (r.not_after ? <Time at={r.not_after} show="date" /> : '–') },
				{ title: t('Private key'), render: (r) => (r.has_key ? t('kept here') : '–') },
			]}
		/>
	)
}

export function ImportDialog({ onClose }: { onClose: () => void }) {
	const client = useQueryClient()
	const [rows, setRows] = useState<Schemas['ImportRow'][] | null>(null)
	const [name, setName] = useState<string | null>(null)
	const form = useForm({
		initialValues: { content: '', password: '', with_keys: false, owner: '', tags: [] as string[] },
		validate: { content: (v) => (v.trim() ? null : t('Paste a certificate or choose a file.')) },
	})
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const answer = await unwrap(
			api.POST('/imports', {
				body: { content: v.content, with_keys: v.with_keys, tags: v.tags, ...(v.password ? { password: v.password } : {}), ...(v.owner.trim() ? { owner: v.owner.trim() } : {}) },
			}),
		)
		void client.invalidateQueries({ queryKey: ['certificates'] })
		void client.invalidateQueries({ queryKey: ['status'] })
		setRows(answer.items)
	})
	const take = async (file: File | null) => {
		if (!file) return
		if (file.size > MOST) {
			form.setFieldError('content', t('A file has at most 190 KiB.'))
			return
		}
		form.setFieldValue('content', await contentOf(file))
		setName(file.name)
	}
	if (rows)
		return (
			<ResultDialog title={t('Import certificates')} onClose={onClose}>
				<Rows rows={rows} />
			</ResultDialog>
		)
	return (
		<FormDialog opened title={t('Import certificates')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Import')}>
			<Text size="sm">{t('Certificates made elsewhere are watched: you are told before they expire. The same file again changes nothing.')}</Text>
			<Group gap="sm">
				<FileButton onChange={(f) => void take(f)} accept=".pem,.crt,.cer,.cert,.der,.p12,.pfx">
					{(props) => (
						<Button variant="default" {...props}>
							{t('Choose file')}
						</Button>
					)}
				</FileButton>
				<Text size="sm" c="dimmed">
					{name ?? t('PEM, DER or PKCS#12')}
				</Text>
			</Group>
			<Textarea size="md" label={t('Certificate')} description={t('PEM text, one or many, in any order; or a file chosen above.')} autosize minRows={5} maxRows={10} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }} {...form.getInputProps('content')} />
			<PasswordInput size="md" label={t('Password')} description={t('Of a PKCS#12 file or an encrypted key; otherwise leave it empty.')} autoComplete="off" {...form.getInputProps('password')} />
			<Checkbox label={t('Keep the private keys in it')} description={t('Sealed like all others. A key is kept only with its certificate.')} {...form.getInputProps('with_keys', { type: 'checkbox' })} />
			<TextInput label={t('Owner')} {...form.getInputProps('owner')} />
			<TagsInput size="md" label={t('Tags')} description={t('Letters, digits and - _ . / =; press Enter after each.')} {...form.getInputProps('tags')} />
		</FormDialog>
	)
}

export function NotesDialog({ certificate, onClose }: { certificate: CertificateDetail; onClose: () => void }) {
	const client = useQueryClient()
	const form = useForm({ initialValues: { owner: certificate.owner ?? '', notes: certificate.notes ?? '', tags: certificate.tags } })
	const { busy, error, onSubmit } = useSubmit(form, async (v) => {
		const path = { params: { path: { id: certificate.id } } }
		const now = await api.GET('/certificates/{id}', path)
		const tag = now.response.headers.get('ETag') ?? '*'
		await unwrap(api.PATCH('/certificates/{id}', { params: { ...path.params, header: { 'If-Match': tag } }, body: { owner: v.owner.trim(), notes: v.notes.trim(), tags: v.tags } }))
		void client.invalidateQueries({ queryKey: ['certificates'] })
		notifications.show({ message: t('Noted.'), color: 'green' })
		onClose()
	})
	return (
		<FormDialog opened title={t('Owner, tags and notes')} onClose={onClose} onSubmit={onSubmit} busy={busy} error={error} submit={t('Save')}>
			<TextInput label={t('Owner')} {...form.getInputProps('owner')} />
			<TagsInput size="md" label={t('Tags')} description={t('Letters, digits and - _ . / =; press Enter after each.')} {...form.getInputProps('tags')} />
			<Textarea size="md" label={t('Notes')} autosize minRows={3} maxRows={10} {...form.getInputProps('notes')} />
		</FormDialog>
	)
}

/** Terms of a search, quotes kept: 'owner:"Team Web" shop' is two. */
export function termsOf(q: string): string[] {
	return q.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
}

/** One term is typed, the others stand as chips; all of them are the text of the address bar. */
export function SearchBox({ q, onChange }: { q: string; onChange: (q: string) => void }) {
	const [text, setText] = useState('')
	const terms = termsOf(q)
	const submit = (e: React.FormEvent) => {
		e.preventDefault()
		if (!text.trim()) return
		onChange([...terms, ...termsOf(text)].join(' '))
		setText('')
	}
	return (
		<form onSubmit={submit} role="search" style={{ flex: 1, minWidth: 260 }}>
			<TextInput
				size="sm"
				aria-label={t('Search the certificates')}
				placeholder={t('Search: a name, expires<14d, tag:prod, key:rsa2048, name:*.example.com')}
				value={text}
				maxLength={400}
				onChange={(e) => setText(e.currentTarget.value)}
				rightSection={
					<ActionIcon type="submit" variant="subtle" aria-label={t('Search')} disabled={!text.trim()}>
						<Icon name="search" size={16} />
					</ActionIcon>
				}
			/>
			{terms.length > 0 && (
				<Group gap={6} mt={6}>
					{terms.map((term, i) => (
						<Pill key={`${i} ${term}`} withRemoveButton removeButtonProps={{ 'aria-label': t('Remove {term}', { term }), tabIndex: 0, 'aria-hidden': false }} onRemove={() => onChange(terms.filter((_, k) => k !== i).join(' '))}>
							{term}
						</Pill>
					))}
				</Group>
			)}
		</form>
	)
}
