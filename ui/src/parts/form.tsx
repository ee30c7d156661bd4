// SPDX-License-Identifier: Apache-2.0
// Forms: what was typed stays when the server refuses, and its message stands at the field it names.
import { Button, Checkbox, Group, Modal, Stack, type CheckboxProps } from '@mantine/core'
import type { UseFormReturnType } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { ApiError, asError, capture, type Captured } from '../api/client'
import { t } from '../i18n'
import { distance, Failure, sentence } from './bits'
import { CopyFormAs } from './copy-as'

/** "/names/3" -> "names"; fields of the page with another name than in the body are given in `alias`. */
function fieldOf(pointer: string, alias: Record<string, string>): string {
	const first = pointer.replace(/^[#/]+/, '').split('/')[0] ?? ''
	return alias[first] ?? first
}

export function useSubmit<V extends Record<string, unknown>>(form: UseFormReturnType<V>, send: (values: V) => Promise<void>, alias: Record<string, string> = {}) {
	const [busy, setBusy] = useState(false)
	const [error, setError] = useState<ApiError | null>(null)

	const onSubmit = form.onSubmit(
		async (values) => {
			setBusy(true)
			setError(null)
			try {
				await send(values)
			} catch (e) {
				const failed = asError(e)
				const atFields: Record<string, string> = {}
				let rest = 0
				for (const item of failed.problem.errors ?? []) {
					const field = fieldOf(item.pointer, alias)
					if (field in values) atFields[field] = sentence(item.detail)
					else rest++
				}
				const named = Object.keys(atFields)
				if (named.length) form.setErrors(atFields as never)
				setError(named.length && !rest ? null : failed)
				const first = named[0]
				if (first) setTimeout(() => form.getInputNode(first)?.focus(), 0)
			} finally {
				setBusy(false)
			}
		},
		(errors) => {
			const first = Object.keys(errors)[0]
			if (first) form.getInputNode(first)?.focus()
		},
	)
	/* What would be sent, for who wants it as a command; null when the form is not ready, which then shows why. */
	const take = async (): Promise<Captured | null> => {
		const checked = form.validate()
		const first = Object.keys(checked.errors)[0]
		if (first) {
			form.getInputNode(first)?.focus()
			return null
		}
		try {
			return await capture(() => send(form.getValues()))
		} catch (e) {
			setError(asError(e))
			return null
		}
	}
	return { busy, error, onSubmit: Object.assign(onSubmit, { take }), setError }
}

export function FormDialog({ opened, title, onClose, onSubmit, busy, error, submit, children, size = 'lg' }: { opened: boolean; title: string; onClose: () => void; onSubmit: ((e?: React.FormEvent<HTMLFormElement>) => void) & { take?: () => Promise<Captured | null> }; busy: boolean; error: ApiError | null; submit: string; children: ReactNode; size?: string }) {
	return (
		<Modal opened={opened} onClose={onClose} title={title} size={size} closeOnClickOutside={false}>
			<form onSubmit={onSubmit} noValidate>
				<Stack gap="md">
					{children}
					{error && <Failure error={error} />}
					<Group justify="space-between" gap="xs">
						<span>{onSubmit.take && <CopyFormAs take={onSubmit.take} />}</span>
						<Group justify="flex-end" gap="xs">
							<Button variant="default" onClick={onClose}>
								{t('Cancel')}
							</Button>
							<Button type="submit" loading={busy}>
								{submit}
							</Button>
						</Group>
					</Group>
				</Stack>
			</form>
		</Modal>
	)
}

/** Asks before something is done that is not undone, and says what will happen. */
export function Confirm({ opened, title, children, action, danger = true, onClose, run, done, reads }: { opened: boolean; title: string; children: ReactNode; action: string; danger?: boolean; onClose: () => void; run: () => Promise<unknown>; done: string; reads: string[] }) {
	const [busy, setBusy] = useState(false)
	const [error, setError] = useState<unknown>(null)
	const client = useQueryClient()
	const close = () => {
		setError(null)
		onClose()
	}
	const take = async () => {
		try {
			return await capture(run)
		} catch (e) {
			setError(e)
			return null
		}
	}
	const go = async () => {
		setBusy(true)
		setError(null)
		try {
			await run()
			for (const key of reads) void client.invalidateQueries({ queryKey: [key] })
			notifications.show({ message: done, color: 'green' })
			close()
		} catch (e) {
			setError(e)
		} finally {
			setBusy(false)
		}
	}
	return (
		<Modal opened={opened} onClose={close} title={title} size="md">
			<Stack gap="md">
				<div>{children}</div>
				{error !== null && <Failure error={error} />}
				<Group justify="space-between" gap="xs">
					<CopyFormAs take={take} />
					<Group justify="flex-end" gap="xs">
						<Button variant="default" onClick={close} data-autofocus>
							{t('Cancel')}
						</Button>
						<Button color={danger ? 'red' : undefined} loading={busy} onClick={() => void go()}>
							{action}
						</Button>
					</Group>
				</Group>
			</Stack>
		</Modal>
	)
}

/** What the server refuses until somebody says so: an order at an authority that charges. */
export function AcceptCost(props: CheckboxProps) {
	return <Checkbox label={t('Orders that cost money are meant')} {...props} />
}

/** For buttons that do one thing at once; done may depend on what came of it. */
export function useAct() {
	const [busy, setBusy] = useState<string | null>(null)
	const client = useQueryClient()
	const act = async <R,>(name: string, run: () => Promise<R>, done: string | null | ((r: R) => string | null), reads: string[]) => {
		setBusy(name)
		try {
			const r = await run()
			const message = typeof done === 'function' ? done(r) : done
			if (message) notifications.show({ message, color: 'green' })
			for (const key of reads) void client.invalidateQueries({ queryKey: [key] })
		} catch (e) {
			const { problem } = asError(e)
			notifications.show({ title: problem.title, message: [problem.detail && `${sentence(problem.detail)}.`, problem.hint, problem.retry_at && t('It can be tried again {when}.', { when: distance(problem.retry_at) })].filter(Boolean).join(' '), color: 'red', autoClose: 10_000 })
		} finally {
			setBusy(null)
		}
	}
	return { busy, act }
}
