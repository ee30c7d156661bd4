// SPDX-License-Identifier: Apache-2.0
// png.mjs - a screenshot with at most 256 colours, a third of its size: its most frequent colours, the others by the nearest.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

function crc(buf) {
	if (crc32) return crc32(buf)
	let c = ~0
	for (const b of buf) {
		c ^= b
		for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1))
	}
	return ~c >>> 0
}

function chunk(type, data) {
	const out = Buffer.alloc(12 + data.length)
	out.writeUInt32BE(data.length, 0)
	out.write(type, 4, 'latin1')
	data.copy(out, 8)
	out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length)
	return out
}

function pixels(png) {
	let at = 8
	let width = 0
	let height = 0
	let bpp = 3
	const parts = []
	while (at < png.length) {
		const n = png.readUInt32BE(at)
		const type = png.toString('latin1', at + 4, at + 8)
		const data = png.subarray(at + 8, at + 8 + n)
		if (type === 'IHDR') {
			width = data.readUInt32BE(0)
			height = data.readUInt32BE(4)
			if (data[8] !== 8 || (data[9] !== 2 && data[9] !== 6) || data[12] !== 0) throw new Error('not a picture this reads')
			bpp = data[9] === 2 ? 3 : 4
		} else if (type === 'IDAT') parts.push(data)
		at += 12 + n
	}
	const raw = inflateSync(Buffer.concat(parts))
	const stride = width * bpp
	const out = Buffer.alloc(stride * height)
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)]
		for (let x = 0; x < stride; x++) {
			const v = raw[y * (stride + 1) + 1 + x]
			const a = x >= bpp ? out[y * stride + x - bpp] : 0
			const b = y ? out[(y - 1) * stride + x] : 0
			const c = x >= bpp && y ? out[(y - 1) * stride + x - bpp] : 0
			let add = 0
			if (filter === 1) add = a
			else if (filter === 2) add = b
			else if (filter === 3) add = (a + b) >> 1
			else if (filter === 4) {
				const p = a + b - c
				const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)]
				add = pa <= pb && pa <= pc ? a : pb <= pc ? b : c
			}
			out[y * stride + x] = (v + add) & 255
		}
	}
	return { width, height, bpp, out }
}

export function small(png) {
	const { width, height, bpp, out } = pixels(png)
	const counts = new Map()
	const key = (i) => (out[i] << 16) | (out[i + 1] << 8) | out[i + 2]
	for (let i = 0; i < out.length; i += bpp) counts.set(key(i), (counts.get(key(i)) ?? 0) + 1)
	const palette = [...counts].sort((p, q) => q[1] - p[1]).slice(0, 256).map((e) => e[0])
	const index = new Map(palette.map((c, i) => [c, i]))
	const nearest = (c) => {
		let best = 0
		let least = Infinity
		for (let i = 0; i < palette.length; i++) {
			const p = palette[i]
			const d = ((p >> 16) - (c >> 16)) ** 2 + (((p >> 8) & 255) - ((c >> 8) & 255)) ** 2 + ((p & 255) - (c & 255)) ** 2
			if (d < least) [least, best] = [d, i]
		}
		return best
	}
	const rows = Buffer.alloc((width + 1) * height)
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			const c = key((y * width + x) * bpp)
			let i = index.get(c)
			if (i === undefined) index.set(c, (i = nearest(c)))
			rows[y * (width + 1) + 1 + x] = i
		}
	const head = Buffer.alloc(13)
	head.writeUInt32BE(width, 0)
	head.writeUInt32BE(height, 4)
	head[8] = 8
	head[9] = 3
	const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]))
	return Buffer.concat([png.subarray(0, 8), chunk('IHDR', head), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))])
}
