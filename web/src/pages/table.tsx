import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { DeviceRow } from '../client.js'
import { nameOf } from '../filter.js'
import { hashrate, power, temperature } from '../format.js'
import { useNow, useWide } from '../hooks.js'
import { visibleRows } from '../rows.js'
import { nextSort, sortable } from '../sort.js'
import { isOld } from '../status.js'
import { Icon } from '../ui/icon.js'
import { Age, DeviceLink, Simulated, StatusMark, Value } from '../ui/parts.js'
import { Brief, type Column, cellsOf } from './columns.js'

const rowHeight = 40
const narrowRowHeight = 64
/** Room below the last row for the bar of the selection. */
const bulkBarHeight = 84

interface TableProps {
  rows: readonly DeviceRow[]
  columns: readonly Column[]
  sort: string
  setSort(sort: string): void
  selected: ReadonlySet<string>
  /** null: this reader may not command, so nothing is selected. */
  onSelect: ((id: string, shift: boolean) => void) | null
  onSelectAll(): void
  empty: ComponentChildren
}

/** Only the rows on screen are in the document; their number, not that of the devices, is what a change costs. */
export function DeviceTable(props: TableProps) {
  const { rows, columns, sort, setSort, selected, onSelect, onSelectAll, empty } = props
  const narrow = useWide('(max-width: 760px)')
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 800 })
  const now = useNow()
  const height = narrow ? narrowRowHeight : rowHeight

  useEffect(() => {
    const element = box.current
    if (!element) return
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight })
    const resize = new ResizeObserver(measure)
    resize.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      resize.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [])

  const { first, end } = visibleRows(rows.length, height, view.top, view.height)
  const template = `${onSelect ? '40px ' : ''}${columns.map(({ width }) => width).join(' ')}`
  const everySelected = rows.length > 0 && rows.every(({ id }) => selected.has(id))
  const someSelected = selected.size > 0 && !everySelected

  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
    if (!step || !row || !box.current) return
    event.preventDefault()
    const to = Number(row.dataset.row) + step
    if (to * height < box.current.scrollTop) box.current.scrollTop = to * height
    if ((to + 2) * height > box.current.scrollTop + box.current.clientHeight)
      box.current.scrollTop = (to + 2) * height - box.current.clientHeight
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-row="${to}"] a`)?.focus())
  }

  return (
    <div
      class={narrow ? 'table narrow' : 'table'}
      role="table"
      aria-label="Devices"
      aria-rowcount={rows.length + 1}
      ref={box}
      tabIndex={-1}
      onKeyDown={move}
    >
      <div
        class="table-inner"
        role="rowgroup"
        style={{
          height: `${rows.length * height + (narrow ? 0 : rowHeight) + (selected.size > 0 ? bulkBarHeight : 0)}px`,
        }}
      >
        <div class="tr th" role="row" aria-rowindex={1} style={narrow ? {} : { gridTemplateColumns: template }}>
          {onSelect && (
            <div class="td box" role="columnheader">
              <label>
                <input
                  type="checkbox"
                  aria-label="Select all that match"
                  checked={everySelected}
                  ref={(input) => {
                    if (input) input.indeterminate = someSelected
                  }}
                  onChange={onSelectAll}
                />
              </label>
            </div>
          )}
          {columns.map((column) => (
            <Header key={column.key} column={column} sort={sort} setSort={setSort} />
          ))}
        </div>
        {rows.slice(first, end).map((record, offset) => (
          <div
            key={record.id}
            class={`tr${isOld(record.status) ? ' old' : ''}${selected.has(record.id) ? ' selected' : ''}`}
            role="row"
            aria-rowindex={first + offset + 2}
            data-row={first + offset}
            style={{
              transform: `translateY(${(first + offset) * height}px)`,
              ...(narrow ? {} : { gridTemplateColumns: template }),
            }}
          >
            {onSelect && (
              <div class="td box" role="cell">
                <label>
                  <input
                    type="checkbox"
                    aria-label={`Select ${nameOf(record)}`}
                    checked={selected.has(record.id)}
                    onClick={(event) => onSelect(record.id, event.shiftKey)}
                  />
                </label>
              </div>
            )}
            {narrow ? (
              <NarrowCells record={record} now={now} />
            ) : (
              cellsOf(record, columns).map(({ column, span, brief }) => (
                <Cell key={column.key} column={column} span={span} brief={brief} record={record} now={now} />
              ))
            )}
          </div>
        ))}
      </div>
      {rows.length === 0 && empty}
    </div>
  )
}

interface CellProps {
  column: Column
  span: number
  brief: boolean
  record: DeviceRow
  now: number
}

function Cell({ column, span, brief, record, now }: CellProps) {
  const isEmpty = column.ofMiners && record.kind !== 'miner' && !brief
  return (
    <div
      class={`td${column.numeric ? ' end num' : ''}${column.measured ? ' measured' : ''} ${column.key}`}
      role="cell"
      aria-colspan={span}
      style={span > 1 ? { gridColumn: `span ${span}` } : {}}
    >
      {brief ? <Brief record={record} /> : isEmpty ? null : column.cell(record, now)}
    </div>
  )
}

function Header({ column, sort, setSort }: { column: Column; sort: string; setSort: (sort: string) => void }) {
  const direction = sort === column.key ? 'ascending' : sort === `-${column.key}` ? 'descending' : 'none'
  const name = `td${column.numeric ? ' end' : ''} ${column.key}`
  if (!sortable(column.key))
    return (
      <div class={name} role="columnheader">
        {column.title}
      </div>
    )
  return (
    <div class={name} role="columnheader" aria-sort={direction}>
      <button type="button" onClick={() => setSort(nextSort(sort, column.key, column.numeric ?? false))}>
        {column.title}
        {direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'down'} size={12} />}
      </button>
    </div>
  )
}

/** Two lines on a phone: who and how, then the figures that matter most. */
function NarrowCells({ record, now }: { record: DeviceRow; now: number }) {
  const { metrics } = record
  return (
    <div class="narrow-cells" role="cell">
      <div>
        <DeviceLink record={record} />
        {record.simulated && <Simulated short />}
        <StatusMark status={record.status} reason={record.statusReason} />
      </div>
      <div class="quiet num">
        <span>{record.model}</span>
        <span class="measured">
          {record.kind === 'miner' ? (
            <>
              <Value of={hashrate(metrics.hashrateThs)} /> · <Value of={power(metrics.powerW)} /> ·{' '}
              <Value of={temperature(metrics.chipTempMaxC)} />
            </>
          ) : (
            <>
              <Brief record={record} /> {metrics.powerW != null && <Value of={power(metrics.powerW)} />}
            </>
          )}
        </span>
        <span class="age">
          <Age at={record.at} now={now} />
        </span>
      </div>
    </div>
  )
}
