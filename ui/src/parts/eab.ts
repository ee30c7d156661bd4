// SPDX-License-Identifier: Apache-2.0
// Vendors hand the HMAC key of an external account out as base64url or base64, with or without padding: its decoded length tells
// whether it was pasted whole.

/** Bytes of the decoded key, 0 when it is no such text. */
export function hmacLength(text: string): number {
	const s = text.trim()
	const body = s.replace(/={1,2}$/, '')
	if (!body || !/^[A-Za-z0-9+/_-]+$/.test(body) || body.length % 4 === 1) return 0
	if (s.length !== body.length && s.length % 4 !== 0) return 0
	return Math.floor((body.length * 3) / 4)
}
