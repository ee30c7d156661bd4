// SPDX-License-Identifier: Apache-2.0
// Whether somebody is at the page. What the page asks by itself counts as use of the session, so it asks nothing by a clock when
// nobody has touched it for some minutes: a session left alone ends.

const AWAKE_MS = 5 * 60_000
let last = Date.now()

for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'])
	addEventListener(
		kind,
		() => {
			last = Date.now()
		},
		{ passive: true },
	)

export function every(ms: number): () => number | false {
	return () => (Date.now() - last < AWAKE_MS ? ms : false)
}
