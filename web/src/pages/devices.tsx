import { useCallback, useMemo, useRef, useState } from 'preact/hooks'
import type { DeviceRow } from '../client.js'
import { commandsOf, targetsMax } from '../commanding.js'
import { defaultSort, type Filter, isFiltered, matcher, noFilter, readFilter, writeFilter } from '../filter.js'
import { integer, plural, power, text } from '../format.js'
import { useApp, useCell, useDevices, useKept } from '../hooks.js'
import { hrefOf, type Route } from '../route.js'
import { click, clickAll, nothing, pruned, type Selection } from '../selection.js'
import { sorted } from '../sort.js'
import { isOld } from '../status.js'
import { Icon } from '../ui/icon.js'
import { Empty } from '../ui/parts.js'
import { columns } from './columns.js'
import { CommandDialog, CommandMenu } from './command-dialog.js'
import { ScanDialog } from './scan-dialog.js'
import { DeviceTable } from './table.js'
import { Toolbar } from './toolbar.js'

/** Rows change their values four times a second, but their places only so often, so that a row can be followed with the eye. */
const reorderMs = 3000

export function DevicesPage({ route }: { route: Route }) {
  const { store, session } = useApp()
  const query = route.query.toString()
  const filter = useMemo(() => readFilter(route.query), [query])
  const sort = route.query.get('sort') ?? defaultSort
  const [hidden, setHidden] = useKept<readonly string[]>(
    'hidden-columns',
    columns.filter((column) => column.hidden).map(({ key }) => key),
  )
  const [selection, setSelection] = useState<Selection>(nothing)
  const [command, setCommand] = useState<string | null>(null)
  const [scanning, setScanning] = useState(false)
  const loaded = useCell(store.loaded)

  const go = useCallback((next: Filter, nextSort: string) => {
    history.replaceState(null, '', hrefOf('devices', null, writeFilter(next, nextSort)))
    dispatchEvent(new HashChangeEvent('hashchange'))
  }, [])

  useDevices(store.devices)
  const rows = useRows(filter, sort)
  const order = useMemo(() => rows.map(({ id }) => id), [rows])
  const chosen = pruned(selection, (id) => store.devices.byId.has(id))
  const targets = useMemo(
    () => [...chosen.ids].flatMap((id) => store.devices.byId.get(id) ?? []),
    [chosen.ids, store.devices.version],
  )

  return (
    <div class="devices-page">
      <h1 class="visually-hidden">Devices</h1>
      <Toolbar
        filter={filter}
        setFilter={(next) => go(next, sort)}
        records={() => store.devices.byId.values()}
        hidden={hidden}
        setHidden={setHidden}
        shown={rows.length}
        total={store.devices.byId.size}
      />
      {session.scope === 'admin' && (
        <button type="button" class="scan-button" onClick={() => setScanning(true)}>
          <Icon name="radar" /> Scan
        </button>
      )}
      <DeviceTable
        rows={rows}
        columns={columns.filter(({ key }) => !hidden.includes(key))}
        sort={sort}
        setSort={(next) => go(filter, next)}
        selected={chosen.ids}
        onSelect={session.scope === 'read' ? null : (id, shift) => setSelection(click(chosen, order, id, shift))}
        onSelectAll={() => setSelection(clickAll(chosen, order))}
        empty={
          <Empty>
            {!loaded ? (
              'Loading …'
            ) : isFiltered(filter) ? (
              <>
                No device matches.{' '}
                <button type="button" class="link" onClick={() => go(noFilter, sort)}>
                  Clear the filters
                </button>
              </>
            ) : (
              'No devices yet. Scan the network or add one with the miningsdk command.'
            )}
          </Empty>
        }
      />
      {targets.length > 0 && (
        <BulkBar
          targets={targets}
          all={targets.length === rows.length && isFiltered(filter)}
          choose={setCommand}
          clear={() => setSelection(nothing)}
        />
      )}
      {command && <CommandDialog command={command} targets={targets} close={() => setCommand(null)} />}
      {scanning && <ScanDialog close={() => setScanning(false)} />}
    </div>
  )
}

/** The devices that match, in order. The order is made anew when filter, sort or the set of devices change, and else every few seconds. */
function useRows(filter: Filter, sort: string): DeviceRow[] {
  const { devices } = useApp().store
  const ordered = useRef<{ at: number; key: string; ids: string[] }>({ at: 0, key: '', ids: [] })
  const key = `${JSON.stringify(filter)} ${sort} ${devices.membership}`
  return useMemo(() => {
    const now = performance.now()
    if (key !== ordered.current.key || now - ordered.current.at > reorderMs) {
      const matching = [...devices.byId.values()].filter(matcher(filter))
      const rows = sorted(matching, sort)
      ordered.current = { at: now, key, ids: rows.map(({ id }) => id) }
      return rows
    }
    return ordered.current.ids.flatMap((id) => devices.byId.get(id) ?? [])
  }, [key, devices.version])
}

function BulkBar({
  targets,
  all,
  choose,
  clear,
}: {
  targets: readonly DeviceRow[]
  all: boolean
  choose: (command: string) => void
  clear: () => void
}) {
  const watts = targets
    .filter(({ status }) => !isOld(status))
    .reduce((sum, { metrics }) => sum + (metrics.powerW ?? 0), 0)
  const tooMany = targets.length > targetsMax
  return (
    <div class="bulk" role="region" aria-label="Selected devices">
      <span>
        <b>{plural(targets.length, 'device')}</b> selected{all ? ' (all that match)' : ''}
        {watts > 0 && <span class="quiet"> · {text(power(watts))}</span>}
      </span>
      {tooMany ? (
        <span>At most {integer(targetsMax)} at once: narrow the filter.</span>
      ) : (
        <CommandMenu commands={commandsOf(targets)} total={targets.length} choose={choose} up />
      )}
      <button
        type="button"
        class="icon-button"
        onClick={clear}
        aria-label="Clear the selection"
        title="Clear the selection"
      >
        <Icon name="close" />
      </button>
    </div>
  )
}
