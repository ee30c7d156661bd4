// SPDX-License-Identifier: Apache-2.0
// For an auditor: the eight questions, and the table that answers each. For those who have the right to read the audit.
import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { downloadAuditorFile, type AuditorFile } from '../api/client'
import { t } from '../i18n'
import { useAct } from '../parts/form'
import { Icon } from '../parts/icon'
import { Card } from '../parts/page'
import { PlainTable } from '../parts/table'

interface Question {
	file: AuditorFile
	text: string
	past?: boolean
}

/** In the order of the guide; the past is what the days bound. */
function questions(): Question[] {
	return [
		{ file: 'users.csv', text: t('Who may do what here, and when did each sign in last?') },
		{ file: 'tokens.csv', text: t('Which API tokens are there, whose, for what, until when, and when was each used last?') },
		{ file: 'certificates.csv', text: t('Which certificates are there: from whom, with which key, whose, and who ordered them?') },
		{ file: 'key-exports.csv', text: t('Who took a private key away, which, and why?'), past: true },
		{ file: 'failed-renewals.csv', text: t('Which renewals fail or have failed, since when, and why?'), past: true },
		{ file: 'settings.csv', text: t('Which settings weaken something?') },
		{ file: 'rights-changes.csv', text: t('Who gave or took which right, token or password?'), past: true },
		{ file: 'removals.csv', text: t('What was revoked, deleted or copied out, and by whom?'), past: true },
	]
}

const midnight = (day: string) => `${day}T00:00:00Z`

export function ForAuditor() {
	const { busy, act } = useAct()
	const [since, setSince] = useState('')
	const [until, setUntil] = useState('')
	const bounds = { ...(since ? { since: midnight(since) } : {}), ...(until ? { until: midnight(until) } : {}) }
	const take = (file: AuditorFile, past = false) => void act(file, () => downloadAuditorFile(file, past ? bounds : {}), null, [])
	return (
		<Card
			title={t('For an auditor')}
			pad={false}
			actions={
				<Button size="compact-md" variant="default" leftSection={<Icon name="info" size={16} />} loading={busy === 'index.md'} onClick={() => take('index.md')}>
					{t('What each table is')}
				</Button>
			}
		>
			<Stack gap="sm" className="card-pad">
				<Text>{t('Eight questions, a table each, as CSV for any spreadsheet. Times are UTC; nothing secret is in any of them.')}</Text>
				<Group gap="md" align="flex-end">
					<TextInput type="date" label={t('Since')} value={since} onChange={(e) => setSince(e.currentTarget.value)} />
					<TextInput type="date" label={t('Before')} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
					<Text size="sm" c="dimmed" style={{ flex: '1 1 240px' }}>
						{t('The days bound what is told of the past: questions 4, 5, 7 and 8.')}
					</Text>
				</Group>
			</Stack>
			<PlainTable
				label={t('For an auditor')}
				rows={questions().map((q, i) => ({ ...q, n: i + 1 }))}
				rowKey={(q) => q.file}
				columns={[
					{ title: t('Number'), hideTitle: true, width: 48, render: (q) => q.n },
					{ title: t('Question'), render: (q) => q.text },
					{
						title: t('Actions'),
						hideTitle: true,
						width: 210,
						render: (q) => (
							<Button size="compact-sm" variant="default" leftSection={<Icon name="download" size={14} />} aria-label={t('Download {file}', { file: q.file })} loading={busy === q.file} disabled={busy !== null && busy !== q.file} onClick={() => take(q.file, q.past)}>
								{q.file}
							</Button>
						),
					},
				]}
			/>
		</Card>
	)
}
