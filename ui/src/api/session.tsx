// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what the page shows them.
import { useQueryClient } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { api, asError, setCsrf, unwrap, watchClient, type Session } from './client'
import { probe, startLive } from './live'

export type Permission = 'view' | 'order' | 'account' | 'key-export' | 'admin' | 'audit' | 'revoke'
type State = { at: 'loading' } | { at: 'unreached' } | { at: 'setup'; version: string } | { at: 'signed-out'; expired: boolean } | { at: 'signed-in'; session: Session }

interface Value {
	state: State
	enter: (s: Session) => void
	leave: () => Promise<void>
	reload: () => Promise<void>
}

const Context = createContext<Value | null>(null)

export function SessionProvider({ children }: { children: ReactNode }) {
	const [state, setState] = useState<State>({ at: 'loading' })
	const client = useQueryClient()

	const enter = useCallback((session: Session) => {
		setCsrf(session.csrf_token)
		setState({ at: 'signed-in', session })
	}, [])

	const reload = useCallback(async () => {
		try {
			const setup = await unwrap(api.GET('/setup'))
			if (setup.needed) {
				setState({ at: 'setup', version: setup.version })
				return
			}
			const a = await api.GET('/session')
			if (a.response.ok && a.data) enter(a.data)
			else setState({ at: 'signed-out', expired: false })
		} catch (e) {
			if (asError(e).status === 0 || asError(e).status >= 500) setState({ at: 'unreached' })
			else setState({ at: 'signed-out', expired: false })
		}
	}, [enter])

	const leave = useCallback(async () => {
		await unwrap(api.DELETE('/session')).catch(() => {})
		setCsrf('')
		client.clear()
		setState({ at: 'signed-out', expired: false })
	}, [client])

	useEffect(() => {
		watchClient({
			signedOut: () =>
				setState((was) => {
					if (was.at !== 'signed-in') return was
					setCsrf('')
					client.clear()
					return { at: 'signed-out', expired: true }
				}),
			unreached: () => void probe(),
		})
		void reload()
	}, [client, reload])

	const signedIn = state.at === 'signed-in'
	useEffect(() => (signedIn ? startLive(client) : undefined), [signedIn, client])
	useEffect(() => {
		if (state.at !== 'unreached') return
		const timer = setInterval(() => void reload(), 2000)
		return () => clearInterval(timer)
	}, [state.at, reload])

	const value = useMemo(() => ({ state, enter, leave, reload }), [state, enter, leave, reload])
	return <Context.Provider value={value}>{children}</Context.Provider>
}

export function useAuth(): Value {
	const v = useContext(Context)
	if (!v) throw new Error('no session provider')
	return v
}

export function useSession(): Session {
	const { state } = useAuth()
	if (state.at !== 'signed-in') throw new Error('not signed in')
	return state.session
}

export function useMay(): (p: Permission) => boolean {
	const { permissions } = useSession()
	return (p) => permissions.includes(p)
}
