// SPDX-License-Identifier: Apache-2.0
// The page's own icons: 24 units, one stroke.
const PATHS = {
	dashboard: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
	certificate: 'M6 3h12v10H6zM9 7h6M9 10h3M12 13v8l-2.500-1.800L7 21v-8',
	csr: 'M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h4',
	account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500',
	order: 'M5 4h14v17l-3-2-2 2-2-2-2 2-2-2-3 2zM9 9h6M9 13h6',
	dns: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3.500 12h17M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9S9 6 12 3z',
	activity: 'M3 12h4l3 7 4-14 3 7h4',
	users: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c.8-3.700 3.300-5.500 6.500-5.500s5.700 1.800 6.500 5.500M16 4.500a3.500 3.500 0 0 1 0 6M18 14.800c1.900.8 3 2.500 3.500 5.200',
	token: 'M14.500 13.500a5 5 0 1 0-4-4L4 16v4h4v-2.500h2.500V15zM16 8h.01',
	vendor: 'M4 21V9l8-5 8 5v12M4 21h16M9 21v-6h6v6',
	status: 'M4 5h16v5H4zM4 14h16v5H4zM7.500 7.500h.01M7.500 16.500h.01',
	plus: 'M12 5v14M5 12h14',
	copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
	check: 'M5 12.500l4.500 4.500L19 7.500',
	close: 'M6 6l12 12M18 6L6 18',
	alert: 'M12 4L2.500 20h19zM12 10v4.500M12 17.300v.01',
	info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01',
	refresh: 'M20 11a8 8 0 1 0-2.300 6.200M20 5v6h-6',
	download: 'M12 4v11M7.500 11l4.500 4.500L16.500 11M4 20h16',
	trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
	more: 'M5 12h.01M12 12h.01M19 12h.01',
	finalize: 'M5 21V4M5 4.500h12l-2.500 4 2.500 4H5',
	menu: 'M4 7h16M4 12h16M4 17h16',
	sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400',
	moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z',
	auto: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h6M12 12h8M12 16h6',
	out: 'M14 4h5v16h-5M3 12h11M10.500 8l4 4-4 4',
	lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
	left: 'M14.500 6l-6 6 6 6',
	right: 'M9.500 6l6 6-6 6',
	clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.500 2',
	zone: 'M7 18.500h10.500a3.800 3.800 0 0 0 .6-7.550A5.600 5.600 0 0 0 7.300 9.700 4.400 4.400 0 0 0 7 18.500z',
	web: 'M3.500 5h17v14h-17zM3.500 9.500h17M6.500 7.300h.01M9 7.300h.01',
	bell: 'M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500h4',
	network: 'M9.500 3.500h5v5h-5zM3 15.500h5v5H3zM16 15.500h5v5h-5zM12 8.500V12M5.500 15.500V12h13v3.500',
	link: 'M10 14l9-9M13 5h6v6M17 14v5H5V7h5',
	search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.300 15.300L20 20',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
	return (
		<svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={name === 'more' ? 3 : 1.7} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
			<path d={PATHS[name]} />
		</svg>
	)
}

export function Mark({ size = 26 }: { size?: number }) {
	return (
		<svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
			<rect width="32" height="32" rx="7" fill="#225993" />
			<path d="M16 5.500l8.500 3.200v6.600c0 5.200-3.500 9.300-8.500 11.200-5-1.900-8.500-6-8.500-11.200V8.700z" fill="none" stroke="#fff" strokeWidth="2.200" strokeLinejoin="round" />
			<path d="M11.800 15.900l3 3 5.400-6" fill="none" stroke="#fff" strokeWidth="2.400" strokeLinecap="round" strokeLinejoin="round" />
		</svg>
	)
}
