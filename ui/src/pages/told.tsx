// SPDX-License-Identifier: Apache-2.0
// The second step of the first run: who is told when something goes wrong, with a test that is sent at once. It can wait.
import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { api, finish, unwrap } from '../api/client'
import { t } from '../i18n'
import { Because, CopyLine, Failure, Notice } from '../parts/bits'
import { Door } from './door'
import { ChannelForm, type Channel } from './notifications'

export function ToldPage() {
	const [, go] = useLocation()
	const [adding, setAdding] = useState(false)
	const [channel, setChannel] = useState<Channel | null>(null)
	const [secret, setSecret] = useState<string | null>(null)
	const [busy, setBusy] = useState(false)
	const [error, setError] = useState<unknown>(null)
	const test = async (c: Channel) => {
		setBusy(true)
		setError(null)
		try {
			const params = { params: { path: { id: c.id } } }
			setChannel(await finish<Channel>(await api.POST('/channels/{id}/test', params), () => unwrap(api.GET('/channels/{id}', params))))
		} catch (e) {
			setError(e)
		} finally {
			setBusy(false)
		}
	}
	const leave = () => go('/')
	return (
		<Door title={t('Who is told when something goes wrong?')}>
			<Stack gap="md">
				<Text c="dimmed">{t('A renewal that fails, a record that you have to set, an authority that refuses: people hear of it by mail, programs by a signed webhook. You find this again under Notifications.')}</Text>
				{channel && (
					<Notice tone={channel.status === 'ok' ? 'good' : 'info'} title={channel.name}>
						{channel.status === 'ok' ? t('The test was sent and accepted.') : t('It is saved. Send a test to see that it arrives.')}
					</Notice>
				)}
				{secret && <CopyLine value={secret} what={t('the secret')} />}
				{channel?.status !== 'ok' && channel?.reason && <Because reason={channel.reason} />}
				{error !== null && <Failure error={error} />}
				{channel ? (
					<Group grow>
						<Button variant={channel.status === 'ok' ? 'default' : 'filled'} loading={busy} onClick={() => void test(channel)}>
							{t('Send test')}
						</Button>
						<Button variant={channel.status === 'ok' ? 'filled' : 'default'} onClick={leave}>
							{t('Go on')}
						</Button>
					</Group>
				) : (
					<Group grow>
						<Button onClick={() => setAdding(true)}>{t('Add channel')}</Button>
						<Button variant="default" onClick={leave}>
							{t('Later')}
						</Button>
					</Group>
				)}
			</Stack>
			{adding && (
				<ChannelForm
					channel={null}
					onClose={() => setAdding(false)}
					onSaved={(c, shown) => {
						setAdding(false)
						setChannel(c)
						setSecret(shown)
					}}
				/>
			)}
		</Door>
	)
}
