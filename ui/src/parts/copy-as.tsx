// SPDX-License-Identifier: Apache-2.0
// What the page shows, as a command: for curl with a token, and for the command line.
import { ActionIcon, Menu } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { t } from '../i18n'
import { Icon } from './icon'

const quote = (s: string) => (/^[A-Za-z0-9_./:=?&%,@+-]+$/.test(s) ? s : `'${s.replace(/'/g, `'\\''`)}'`)

/** path: below /api/v1, with its query; cli: the words after `certwright`. */
export function CopyAs({ path, cli }: { path: string; cli: string[] }) {
	const clip = useClipboard({ timeout: 1500 })
	const curl = `curl -sS -H "Authorization: Bearer $CERTWRIGHT_TOKEN" ${`'${`${location.origin}/api/v1${path}`.replace(/'/g, '%27')}'`}`
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
