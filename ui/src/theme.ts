// SPDX-License-Identifier: Apache-2.0
// Colours, type and spacing. Ten shades each, made so that text on its ground has at least 4.5:1 in both themes; tests/browser
// checks every page with axe.
import { createTheme, Modal, Notification, Tooltip, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const ink: MantineColorsTuple = ['#eef4fb', '#dae7f5', '#b5cfea', '#8ab3dc', '#6198ce', '#4180bf', '#2f6cae', '#225993', '#1c4a7a', '#153a60']
const gray: MantineColorsTuple = ['#f7f9fb', '#eff2f6', '#e3e8ee', '#d3dae2', '#bcc5d0', '#939eac', '#667180', '#4a5462', '#333b47', '#1c222b']
const dark: MantineColorsTuple = ['#d7dce3', '#b2bbc6', '#939eac', '#6f7a88', '#3d4651', '#2e363f', '#232a32', '#191f26', '#13181e', '#0e1216']
const red: MantineColorsTuple = ['#fdf0ef', '#fadcd9', '#f4b5af', '#ed8a81', '#e3665b', '#d44a3e', '#c2382c', '#a82d23', '#8b251d', '#6e1d17']
const green: MantineColorsTuple = ['#edf8f1', '#d6efdf', '#a9dcbc', '#78c798', '#4db077', '#33985f', '#25804d', '#1c6b40', '#175734', '#114328']
const amber: MantineColorsTuple = ['#fef7e8', '#fcebc7', '#f8d58a', '#f2bb4b', '#e5a01f', '#c78413', '#a56b0e', '#84550b', '#6a4409', '#513407']

export const theme = createTheme({
	colors: { ink, gray, dark, red, green, amber },
	primaryColor: 'ink',
	primaryShade: { light: 7, dark: 6 },
	fontFamily: "'Inter Variable', system-ui, sans-serif",
	fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
	fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
	headings: {
		fontWeight: '600',
		sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.3' }, h2: { fontSize: '1rem', lineHeight: '1.4' }, h3: { fontSize: '0.875rem', lineHeight: '1.4' } },
	},
	spacing: { xs: '0.375rem', sm: '0.625rem', md: '1rem', lg: '1.5rem', xl: '2.25rem' },
	radius: { xs: '3px', sm: '5px', md: '8px', lg: '12px' },
	defaultRadius: 'sm',
	cursorType: 'pointer',
	respectReducedMotion: true,
	components: {
		Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } }),
		Modal: Modal.extend({ defaultProps: { centered: true, closeButtonProps: { 'aria-label': 'Close' }, overlayProps: { backgroundOpacity: 0.45 }, transitionProps: { duration: 120 }, styles: { title: { fontWeight: 600, fontSize: 'var(--mantine-font-size-xl)' }, header: { padding: '16px 20px 8px' }, body: { padding: '8px 20px 20px' } } } }),
		Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, multiline: true, maw: 320, events: { hover: true, focus: true, touch: true } } }),
		TextInput: { defaultProps: { size: 'md' } },
		Select: { defaultProps: { size: 'md', allowDeselect: false } },
	},
})

export const variables: CSSVariablesResolver = (th) => ({
	variables: {},
	light: {
		'--mantine-color-text': gray[9],
		'--mantine-color-dimmed': '#566170',
		'--mantine-color-placeholder': '#667180',
		'--mantine-color-anchor': ink[7],
		'--mantine-color-error': red[7],
		'--mantine-color-default-border': gray[3],
		'--cw-ground': gray[0],
		'--cw-surface': '#ffffff',
		'--cw-line': gray[2],
	},
	dark: {
		'--mantine-color-text': th.colors.dark![0],
		'--mantine-color-dimmed': '#9ba6b3',
		'--mantine-color-placeholder': '#939eac',
		'--mantine-color-anchor': ink[3],
		'--mantine-color-error': red[3],
		'--mantine-color-default-border': dark[4],
		'--cw-ground': dark[8],
		'--cw-surface': dark[7],
		'--cw-line': dark[5],
	},
})
