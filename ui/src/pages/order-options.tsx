// SPDX-License-Identifier: Apache-2.0
// What an order may ask for beyond its names: a profile of the authority, the chain, the end. Folded away, since most need none of it.
import { Accordion, Autocomplete, Checkbox, Stack, Text, TextInput } from '@mantine/core'
import type { UseFormReturnType } from '@mantine/form'
import { t } from '../i18n'

export interface OrderOptions extends Record<string, unknown> {
	profile: string
	profile_fallback: boolean
	preferred_chain: string
	not_after: string
}

export const noOptions: OrderOptions = { profile: '', profile_fallback: false, preferred_chain: '', not_after: '' }

// Only what was asked for; a day means its end in UTC.
export function optionsBody(v: OrderOptions) {
	return {
		...(v.profile.trim() ? { profile: v.profile.trim(), ...(v.profile_fallback ? { profile_fallback: true } : {}) } : {}),
		...(v.preferred_chain.trim() ? { preferred_chain: v.preferred_chain.trim() } : {}),
		...(v.not_after ? { not_after: `${v.not_after}T23:59:59Z` } : {}),
	}
}

export interface Profile {
	name: string
	description: string | null
}

/** profiles: what the account's authority said that it offers, when its directory was read last; undefined when nobody has read it. */
export function OptionFields<T extends OrderOptions>({ form, profiles }: { form: UseFormReturnType<T>; profiles?: Profile[] }) {
	const v = form.values
	const chosen = profiles?.find((p) => p.name === v.profile.trim())
	const what = new Map((profiles ?? []).map((p) => [p.name, p.description]))
	return (
		<Accordion variant="contained">
			<Accordion.Item value="options">
				<Accordion.Control>{t('Profile, chain and end')}</Accordion.Control>
				<Accordion.Panel>
					<Stack gap="sm">
						<Autocomplete
							label={t('Profile')}
							description={profiles?.length === 0 ? t('This authority offers no profiles. Empty: the authority chooses.') : t('A kind of certificate the authority offers, by its name there. Empty: the authority chooses.')}
							data={(profiles ?? []).map((p) => p.name)}
							renderOption={({ option }) => (
								<div>
									<Text size="sm">{option.value}</Text>
									{what.get(option.value) && <Text size="xs" c="dimmed">{what.get(option.value)}</Text>}
								</div>
							)}
							{...form.getInputProps('profile')}
						/>
						{profiles && profiles.length > 0 && v.profile.trim() && !chosen && <Text size="sm" c="orange">{t('The authority did not offer this profile when its directory was read last.')}</Text>}
						<Checkbox label={t('Without the profile rather than not at all')} description={t('If the authority refuses the profile, the order goes on without it and says so.')} disabled={!v.profile.trim()} {...form.getInputProps('profile_fallback', { type: 'checkbox' })} />
						<TextInput label={t('Preferred chain')} description={t('The name of an issuer. If the authority offers a chain to it, that one is taken; else its usual one.')} {...form.getInputProps('preferred_chain')} />
						<TextInput type="date" label={t('Not valid after')} description={t('Few authorities take this. One that refuses it is asked again without, and the order says so.')} {...form.getInputProps('not_after')} />
					</Stack>
				</Accordion.Panel>
			</Accordion.Item>
		</Accordion>
	)
}
