import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { time } from '../format.js'
import { useCell } from '../hooks.js'
import { theme } from '../theme.js'

export interface Line {
  label: string
  values: readonly (number | null)[]
  /** A custom property of the style sheet. */
  color: string
  dashed?: boolean
  filled?: boolean
}

export interface ChartProps {
  at: readonly number[]
  lines: readonly Line[]
  /** The value with its unit, for axis and legend. */
  format: (value: number) => string
  height?: number
  /** Charts with the same key share their cursor. */
  sync?: string
  label: string
  /** The axis starts at 0. */
  fromZero?: boolean
}

const loadPlot = () =>
  Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([module]) => module.default)

/** Lines over time. The library is loaded when the first chart is shown. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const shown = useCell(theme)
  const shape = props.lines.map(({ label, color, dashed }) => `${label}${color}${dashed}`).join()
  const latest = useRef(props)
  latest.current = props

  useEffect(() => {
    let over = false
    let stop = () => {}
    const draw = (Plot: typeof uPlot) => {
      if (over || !box.current) return
      const element = box.current
      plot.current = new Plot(options(latest, element), dataOf(latest.current), element)
      const resize = new ResizeObserver(() =>
        plot.current?.setSize({ width: element.clientWidth, height: latest.current.height ?? 220 }),
      )
      resize.observe(element)
      const scheme = matchMedia('(prefers-color-scheme: dark)')
      const repaint = () => plot.current?.redraw()
      scheme.addEventListener('change', repaint)
      stop = () => {
        resize.disconnect()
        scheme.removeEventListener('change', repaint)
        plot.current?.destroy()
        plot.current = null
      }
    }
    void loadPlot().then(draw)
    return () => {
      over = true
      stop()
    }
  }, [shown, shape])

  useEffect(() => plot.current?.setData(dataOf(props)), [props.at, props.lines])

  return (
    <div
      class="chart"
      ref={box}
      role="img"
      aria-label={props.label}
      style={{ minHeight: `${props.height ?? 220}px` }}
    />
  )
}

function dataOf({ at, lines }: ChartProps): uPlot.AlignedData {
  return [at.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])]
}

function options(props: { current: ChartProps }, element: HTMLElement): uPlot.Options {
  const { lines, height = 220, sync, fromZero } = props.current
  const color = (name: string) => () => resolved(element, name)
  const format = (value: number | null) => (value === null || value === undefined ? '—' : props.current.format(value))
  const axis = {
    stroke: color('--text-3'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(element).fontFamily}`,
  }
  return {
    width: element.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { size: 7 }, ...(sync ? { sync: { key: sync } } : {}) },
    legend: { live: true },
    scales: { y: { range: (_plot, low, high) => bounds(low, high, fromZero ?? false) } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 30,
        values: (plot, splits) => splits.map((at) => moment(at, plot.scales.x!.max! - plot.scales.x!.min!)),
      },
      { ...axis, size: 68, gap: 6, values: (_plot, splits) => splits.map(format) },
    ],
    series: [
      {
        label: 'Time',
        value: (plot, at) => whenOf(at ?? lastTold(plot.data)),
      },
      ...lines.map(
        (line): uPlot.Series => ({
          label: line.label,
          stroke: color(line.color),
          width: line.dashed ? 1.25 : 1.75,
          // Without a cursor it is the last value.
          value: (plot, value, at, index) => format(index === null ? lastOf(plot.data[at]) : value),
          points: { show: false },
          ...(line.dashed ? { dash: [4, 4] } : {}),
          ...(line.filled ? { fill: () => faded(resolved(element, line.color)) } : {}),
        }),
      ),
    ],
  }
}

/** So much of a value is shown above and below it at least, so that noise does not look like a storm. */
const steadyShare = 0.04

/** Some air above and below; a flat line lies in the middle. */
function bounds(low: number, high: number, fromZero: boolean): [number, number] {
  if (low === null || high === null) return [0, 1]
  const air = Math.max((high - low) * 0.12, Math.abs(high) * steadyShare) || 1
  return [fromZero ? 0 : Math.max(0, low - air), high + air]
}

/** Canvas needs the colour itself, not the name of a custom property. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const faded = (color: string) => `color-mix(in oklab, ${color} 12%, transparent)`

const lastOf = (values: ArrayLike<number | null | undefined> | undefined) =>
  Array.from(values ?? []).findLast((value) => value !== null && value !== undefined) ?? null

/** When a line last had a value. */
function lastTold([times, ...lines]: uPlot.AlignedData): number | null {
  const index = Array.from(times).findLastIndex((_time, at) => lines.some((line) => line[at] != null))
  return times[index] ?? null
}

const whenOf = (at: number | null) => time(at === null ? null : at * 1000, Date.now())

const pad = (value: number) => String(value).padStart(2, '0')

function moment(at: number, spanS: number): string {
  const date = new Date(at * 1000)
  const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}`
  if (spanS > 3 * 86_400) return date.getHours() === 0 ? day : clock
  return spanS < 600 ? `${clock}:${pad(date.getSeconds())}` : clock
}
