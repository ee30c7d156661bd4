// SPDX-License-Identifier: Apache-2.0
// The page starts here: the nonce for styles, the one Trusted Types policy, the providers.
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './style.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { setNonce } from 'get-nonce'
import { Component, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client'
import { SessionProvider } from './api/session'
import { App } from './app'
import { chooseLanguage, t } from './i18n'
import { Failure } from './parts/bits'
import { theme, variables } from './theme'

/* Style sheets are the only text the libraries write as markup; a style sheet has no tag, and nothing with a tag passes. */
interface Policies {
	createPolicy(name: string, rules: { createHTML(s: string): string }): unknown
}
const policies = (window as { trustedTypes?: Policies }).trustedTypes
policies?.createPolicy('default', {
	createHTML(s) {
		if (s.includes('<')) throw new TypeError('markup is never written by this page')
		return s
	},
})

const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''
setNonce(nonce)

const client = new QueryClient({
	defaultOptions: {
		queries: {
			staleTime: 10_000,
			retry: (n, e) => n < 2 && !(e instanceof ApiError && e.status >= 400 && e.status < 500),
			refetchOnWindowFocus: true,
		},
	},
})

class Fence extends Component<{ children: ReactNode }, { error: unknown }> {
	override state = { error: null as unknown }
	static getDerivedStateFromError(error: unknown) {
		return { error }
	}
	override render() {
		if (this.state.error === null) return this.props.children
		return (
			<main className="door">
				<div className="door-card">
					<Failure error={this.state.error} retry={() => location.reload()} />
					<p>{t('This is a fault of the page, not of your data.')}</p>
				</div>
			</main>
		)
	}
}

const root = document.getElementById('root')

async function start(at: HTMLElement) {
	document.documentElement.lang = await chooseLanguage(navigator.languages)
	createRoot(at).render(
		<StrictMode>
			<MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
				<Notifications position="bottom-right" limit={4} />
				<Fence>
					<QueryClientProvider client={client}>
						<SessionProvider>
							<App />
						</SessionProvider>
					</QueryClientProvider>
				</Fence>
			</MantineProvider>
		</StrictMode>,
	)
}

if (root) void start(root)
