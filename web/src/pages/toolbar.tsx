import { useState } from 'preact/hooks'
import type { Health, Kind, Status } from '#model'
import type { DeviceRow } from '../client.js'
import { countFacet, type Facet, type Filter, facets, facetTitles, isFiltered, noFilter, toggle } from '../filter.js'
import { integer } from '../format.js'
import { useDismiss } from '../hooks.js'
import { kindTitles } from '../plant.js'
import { healthLooks, statusLooks } from '../status.js'
import { Icon } from '../ui/icon.js'
import { Mark } from '../ui/parts.js'
import { columns } from './columns.js'

interface ToolbarProps {
  filter: Filter
  setFilter(filter: Filter): void
  records: () => Iterable<DeviceRow>
  hidden: readonly string[]
  setHidden(hidden: readonly string[]): void
  shown: number
  total: number
}

const labelOf = (facet: Facet, value: string) =>
  facet === 'status'
    ? (statusLooks[value as Status]?.label ?? value)
    : facet === 'health'
      ? (healthLooks[value as Health]?.label ?? value)
      : facet === 'kind'
        ? (kindTitles[value as Kind] ?? value)
        : value

export function Toolbar({ filter, setFilter, records, hidden, setHidden, shown, total }: ToolbarProps) {
  return (
    <div class="toolbar">
      <label class="search-box">
        <span class="visually-hidden">Search devices</span>
        <Icon name="search" />
        <input
          id="search"
          type="search"
          placeholder="Name, address, serial, tag …"
          value={filter.q}
          onInput={(event) => setFilter({ ...filter, q: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            if (filter.q === '') event.currentTarget.blur()
            else setFilter({ ...filter, q: '' })
          }}
        />
        <kbd title="Press / to search">/</kbd>
      </label>
      <div class="facets">
        {facets.map((facet) => (
          <FacetMenu key={facet} facet={facet} filter={filter} setFilter={setFilter} records={records} />
        ))}
      </div>
      <span class="shown num" role="status">
        {shown === total ? `${integer(total)} devices` : `${integer(shown)} of ${integer(total)}`}
      </span>
      <ColumnMenu hidden={hidden} setHidden={setHidden} />
      {isFiltered(filter) && (
        <div class="chips">
          {facets.flatMap((facet) =>
            filter[facet].map((value) => (
              <button
                type="button"
                class="chip"
                key={`${facet}=${value}`}
                onClick={() => setFilter(toggle(filter, facet, value))}
                aria-label={`Remove the filter ${facetTitles[facet]} ${labelOf(facet, value)}`}
              >
                <span class="quiet">{facetTitles[facet]}</span> {labelOf(facet, value)}
                <Icon name="close" size={12} />
              </button>
            )),
          )}
          <button type="button" class="link" onClick={() => setFilter(noFilter)}>
            Clear all
          </button>
        </div>
      )}
    </div>
  )
}

function FacetMenu({
  facet,
  filter,
  setFilter,
  records,
}: { facet: Facet } & Pick<ToolbarProps, 'filter' | 'setFilter' | 'records'>) {
  const [open, setOpen] = useState(false)
  const element = useDismiss(open, () => setOpen(false))
  const chosen = filter[facet] as readonly string[]
  return (
    <div class="menu" ref={element}>
      <button
        type="button"
        aria-label={`Filter by ${facetTitles[facet]}${chosen.length > 0 ? `, ${chosen.length} chosen` : ''}`}
        class={chosen.length > 0 ? 'select active' : 'select'}
        aria-expanded={open}
        aria-haspopup="true"
        onClick={() => setOpen(!open)}
      >
        {facetTitles[facet]}
        {chosen.length > 0 && <b>{chosen.length}</b>}
        <Icon name="chevron" size={12} />
      </button>
      {open && (
        <div class="panel" role="group" aria-label={facetTitles[facet]}>
          {countFacet(records(), filter, facet).map(({ value, count }) => (
            <label class="option" key={value}>
              <input
                type="checkbox"
                checked={chosen.includes(value)}
                onChange={() => setFilter(toggle(filter, facet, value))}
              />
              <OptionLabel facet={facet} value={value} />
              <span class="num quiet">{integer(count)}</span>
            </label>
          ))}
        </div>
      )}
    </div>
  )
}

function OptionLabel({ facet, value }: { facet: Facet; value: string }) {
  const look =
    facet === 'status' ? statusLooks[value as Status] : facet === 'health' ? healthLooks[value as Health] : undefined
  return look ? <Mark look={look} /> : <span>{value}</span>
}

function ColumnMenu({ hidden, setHidden }: Pick<ToolbarProps, 'hidden' | 'setHidden'>) {
  const [open, setOpen] = useState(false)
  const element = useDismiss(open, () => setOpen(false))
  return (
    <div class="menu right columns-menu" ref={element}>
      <button
        type="button"
        class="select"
        aria-expanded={open}
        aria-haspopup="true"
        aria-label="Columns"
        title="Columns"
        onClick={() => setOpen(!open)}
      >
        <Icon name="columns" />
      </button>
      {open && (
        <div class="panel" role="group" aria-label="Columns">
          {columns
            .filter(({ key }) => key !== 'name')
            .map(({ key, title }) => (
              <label class="option" key={key}>
                <input
                  type="checkbox"
                  checked={!hidden.includes(key)}
                  onChange={() =>
                    setHidden(hidden.includes(key) ? hidden.filter((other) => other !== key) : [...hidden, key])
                  }
                />
                <span>{title}</span>
              </label>
            ))}
        </div>
      )}
    </div>
  )
}
