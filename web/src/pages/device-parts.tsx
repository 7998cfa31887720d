import type { DeviceRecord } from '#model'
import { hashrate, integer, none, percent, temperature } from '../format.js'
import type { Look } from '../status.js'
import { Ago, Card, Empty, Mark, Meter, Value } from '../ui/parts.js'

type BoardState = NonNullable<DeviceRecord['boards'][number]['status']>

const boardLooks: Record<BoardState, Look> = {
  ok: { label: 'OK', tone: 'ok', shape: 'disc', means: 'Works' },
  degraded: { label: 'Degraded', tone: 'warn', shape: 'triangle', means: 'Works below what it should' },
  missing: { label: 'Missing', tone: 'bad', shape: 'ring', means: 'Not found by the controller' },
  disabled: { label: 'Disabled', tone: 'off', shape: 'dash', means: 'Switched off' },
  error: { label: 'Error', tone: 'bad', shape: 'octagon', means: 'Broken' },
}

const unit = (value: number | null | undefined, name: string) => (value == null ? none : `${integer(value)} ${name}`)

export function Boards({ record }: { record: DeviceRecord }) {
  const { boards } = record
  const has = (key: keyof (typeof boards)[number]) =>
    boards.some((board) => board[key] !== undefined && board[key] !== null)
  return (
    <Card title={`Boards (${boards.length})`}>
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Slot</th>
              <th scope="col">State</th>
              <th scope="col" class="end">
                Hashrate
              </th>
              <th scope="col" class="end">
                Chips
              </th>
              <th scope="col" class="end">
                Board
              </th>
              <th scope="col" class="end">
                Chips from – to
              </th>
              {has('inletTempC') && (
                <th scope="col" class="end">
                  Inlet
                </th>
              )}
              {has('outletTempC') && (
                <th scope="col" class="end">
                  Outlet
                </th>
              )}
              <th scope="col" class="end">
                Frequency
              </th>
              {has('voltageV') && (
                <th scope="col" class="end">
                  Voltage
                </th>
              )}
              {has('hwErrors') && (
                <th scope="col" class="end">
                  HW errors
                </th>
              )}
              {has('serial') && <th scope="col">Serial</th>}
            </tr>
          </thead>
          <tbody>
            {boards.map((board) => (
              <tr key={board.slot}>
                <td class="num">{board.slot}</td>
                <td>{board.status ? <Mark look={boardLooks[board.status]} /> : none}</td>
                <td class="end">
                  <Value of={hashrate(board.hashrateThs)} />
                </td>
                <td
                  class={`end num${board.chips != null && board.expectedChips != null && board.chips < board.expectedChips ? ' low' : ''}`}
                >
                  {integer(board.chips)}
                  {board.expectedChips != null && <span class="quiet"> / {integer(board.expectedChips)}</span>}
                </td>
                <td class="end">
                  <Value of={temperature(board.boardTempC)} />
                </td>
                <td class="end num">
                  {board.chipTempMinC == null && board.chipTempMaxC == null
                    ? none
                    : `${board.chipTempMinC?.toFixed(0) ?? none} – ${board.chipTempMaxC?.toFixed(0) ?? none} °C`}
                </td>
                {has('inletTempC') && (
                  <td class="end">
                    <Value of={temperature(board.inletTempC)} />
                  </td>
                )}
                {has('outletTempC') && (
                  <td class="end">
                    <Value of={temperature(board.outletTempC)} />
                  </td>
                )}
                <td class="end num">{unit(board.frequencyMhz, 'MHz')}</td>
                {has('voltageV') && (
                  <td class="end num">{board.voltageV == null ? none : `${board.voltageV.toFixed(2)} V`}</td>
                )}
                {has('hwErrors') && <td class="end num">{integer(board.hwErrors)}</td>}
                {has('serial') && (
                  <td>
                    <code>{board.serial ?? none}</code>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {boards.some(({ chipMap }) => chipMap) && <ChipMaps record={record} />}
    </Card>
  )
}

const chips: Record<string, readonly [name: string, means: string]> = {
  o: ['good', 'good'],
  x: ['bad', 'bad'],
  '-': ['absent', 'absent'],
}

function ChipMaps({ record }: { record: DeviceRecord }) {
  return (
    <details>
      <summary>Chip maps</summary>
      {record.boards.map(
        ({ slot, chipMap }) =>
          chipMap && (
            <p
              class="chip-map"
              key={slot}
              role="img"
              aria-label={`Board ${slot}: ${[...chipMap].filter((chip) => chip === 'o').length} good, ${[...chipMap].filter((chip) => chip === 'x').length} bad`}
            >
              <b class="num">{slot}</b>
              <span>
                {[...chipMap]
                  .filter((chip) => chips[chip])
                  .map((chip, at) => (
                    <i key={at} class={chips[chip]?.[0]} title={`Chip ${at}: ${chips[chip]?.[1]}`} />
                  ))}
              </span>
            </p>
          ),
      )}
    </details>
  )
}

const poolLooks = {
  active: { label: 'In use', tone: 'ok', shape: 'disc', means: 'The miner works for it' },
  alive: { label: 'Standby', tone: 'off', shape: 'ring', means: 'Answers; not in use' },
  dead: { label: 'Dead', tone: 'bad', shape: 'octagon', means: 'Does not answer' },
  unknown: { label: 'Unknown', tone: 'off', shape: 'question', means: 'The miner does not say' },
} as const

export function Pools({ record }: { record: DeviceRecord }) {
  return (
    <Card title={`Pools (${record.pools.length})`}>
      {record.pools.length === 0 && <Empty>None reported.</Empty>}
      <ul class="rows pools">
        {record.pools.map((pool) => {
          const look =
            pool.alive === false
              ? poolLooks.dead
              : pool.active
                ? poolLooks.active
                : pool.alive
                  ? poolLooks.alive
                  : poolLooks.unknown
          return (
            <li key={pool.index}>
              <div class="why">
                <b class="wrap">{pool.url}</b>
                <p class="quiet wrap">
                  {pool.user}
                  {pool.devFee && ' · developer fee'}
                </p>
                <p class="quiet num">
                  {pool.accepted != null && `${integer(pool.accepted)} accepted`}
                  {pool.rejected != null && ` · ${integer(pool.rejected)} rejected`}
                  {pool.rejectPct != null && ` (${percent(pool.rejectPct)})`}
                  {pool.stale != null && ` · ${integer(pool.stale)} stale`}
                  {pool.lastShareAt != null && (
                    <>
                      {' '}
                      · last share <Ago at={pool.lastShareAt} /> ago
                    </>
                  )}
                </p>
              </div>
              <Mark look={look} />
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

const places = { in: 'Intake', out: 'Exhaust', psu: 'Power supply', case: 'Case' }
/** Scale of the bars: the usual fans end near here. */
const fullRpm = 7500

export function Fans({ record }: { record: DeviceRecord }) {
  return (
    <Card title={`Fans (${record.fans.length})`}>
      {record.fans.length === 0 && <Empty>None: cooled by liquid, or not reported.</Empty>}
      <ul class="rows fans">
        {record.fans.map((fan) => (
          <li key={`${fan.location}${fan.index}`}>
            <span>
              {fan.location ? places[fan.location] : 'Fan'} {fan.index}
            </span>
            <Meter
              value={((fan.rpm ?? 0) / fullRpm) * 100}
              label={`Fan ${fan.index}`}
              tone={fan.status === 'failed' ? 'bad' : 'accent'}
            />
            <span class="num end">{unit(fan.rpm, 'RPM')}</span>
            {fan.dutyPct != null && <span class="num quiet">{percent(fan.dutyPct)}</span>}
            {fan.status === 'failed' && (
              <Mark look={{ label: 'Failed', tone: 'bad', shape: 'octagon', means: 'Does not turn as it should' }} />
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}
