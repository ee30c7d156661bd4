// SPDX-License-Identifier: Apache-2.0
// What the page shows, as a command: for curl with a token, and for the command line.
import { ActionIcon, Button, Menu } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useState } from 'react'
import type { Captured } from '../api/client'
import { t } from '../i18n'
import { asCli, asCurl, quote } from './as-command'
import { Icon } from './icon'

/** path: below /api/v1, with its query; cli: the words after `certwright`. */
export function CopyAs({ path, cli }: { path: string; cli: string[] }) {
	const clip = useClipboard({ timeout: 1500 })
	const curl = asCurl({ method: 'GET', path, body: undefined })
	return (
		<Menu position="bottom-end" withinPortal>
			<Menu.Target>
				<ActionIcon variant="default" size="lg" aria-label={t('Copy as a command')}>
					<Icon name={clip.copied ? 'check' : 'copy'} size={16} />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item onClick={() => clip.copy(curl)}>{t('Copy as curl')}</Menu.Item>
				<Menu.Item onClick={() => clip.copy(['certwright', ...cli].map(quote).join(' '))}>{t('Copy as a command of certwright')}</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	)
}

/** The same for a form: what it would send, with what is typed now. take says null where that is not ready to be sent. */
export function CopyFormAs({ take }: { take: () => Promise<Captured | null> }) {
	const clip = useClipboard({ timeout: 1500 })
	const [none, setNone] = useState(false)
	const copy = async (as: (c: Captured) => string | null) => {
		const what = await take()
		if (!what) return
		const text = as(what)
		setNone(text === null)
		if (text !== null) clip.copy(text)
	}
	return (
		<Menu position="top-start" withinPortal>
			<Menu.Target>
				<Button variant="subtle" color="gray" leftSection={<Icon name={clip.copied ? 'check' : 'copy'} size={16} />}>
					{clip.copied ? t('Copied') : none ? t('No command for this') : t('Copy as')}
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item onClick={() => void copy(asCurl)}>{t('Copy as curl')}</Menu.Item>
				<Menu.Item onClick={() => void copy(asCli)}>{t('Copy as a command of certwright')}</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	)
}
