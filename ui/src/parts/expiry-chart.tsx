// SPDX-License-Identifier: Apache-2.0
// How many certificates expire in each of the coming weeks: bars, with what nothing renews on top in amber. A table for who listens.
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { locale, t } from '../i18n'
import { Failure } from './bits'
import { Card } from './page'

const W = 560
const H = 132
const FOOT = 20
const HEAD = 16

let made: Intl.DateTimeFormat | undefined
const day = { format: (d: Date) => (made ??= new Intl.DateTimeFormat(locale(), { month: 'short', day: 'numeric' })).format(d) }

export function ExpiryChart() {
	const query = useQuery({ queryKey: ['certificates', 'expiry'], queryFn: () => unwrap(api.GET('/expiry', { params: { query: { weeks: 13 } } })) })
	if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />
	const weeks = query.data?.weeks ?? []
	if (!weeks.length) return null
	const most = Math.max(1, ...weeks.map((w) => w.expire))
	const step = W / weeks.length
	const high = (n: number) => (n ? Math.max(3, (n / most) * (H - FOOT - HEAD)) : 0)
	return (
		<Card title={t('Certificates by week of expiry')} actions={<span className="legend"><i data-kind="renewed" />{t('renewed by itself')}<i data-kind="nobody" />{t('nothing renews it')}</span>}>
			<svg className="expiry" viewBox={`0 0 ${W} ${H}`} aria-hidden="true">
				<line x1="0" x2={W} y1={H - FOOT} y2={H - FOOT} />
				{weeks.map((w, i) => {
					const x = i * step + step * 0.16
					const all = high(w.expire)
					const nobody = w.expire ? (all * w.unmanaged) / w.expire : 0
					return (
						<g key={w.from}>
							<title>{t('{n} from {day}', { n: w.expire, day: day.format(new Date(w.from)) })}</title>
							<rect data-kind="renewed" x={x} width={step * 0.68} y={H - FOOT - all + nobody} height={all - nobody} rx="2" />
							<rect data-kind="nobody" x={x} width={step * 0.68} y={H - FOOT - all} height={nobody} rx="2" />
							{w.expire > 0 && (
								<text x={x + step * 0.34} y={H - FOOT - all - 5}>
									{w.expire}
								</text>
							)}
							{i % 2 === 0 && (
								<text data-axis x={x + step * 0.34} y={H - 5}>
									{day.format(new Date(w.from))}
								</text>
							)}
						</g>
					)
				})}
			</svg>
			<table className="mantine-visually-hidden-static">
				<caption>{t('Certificates by week of expiry')}</caption>
				<tbody>
					{weeks.map((w) => (
						<tr key={w.from}>
							<th scope="row">{day.format(new Date(w.from))}</th>
							<td>{w.expire}</td>
							<td>{t('{n} that nothing renews', { n: w.unmanaged })}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Card>
	)
}
