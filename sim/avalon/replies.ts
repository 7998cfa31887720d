import { type Fields, round } from '../json.js'
import type { BoardReading, Reading } from '../physics.js'
import { sharesOf } from '../pools.js'
import { chance } from '../random.js'
import { framesOf } from '../rpc.js'
import type { AvalonState } from './state.js'

/** The replies of the mining process (protocols/avalon.md §2, §3). */

export const frames = framesOf<AvalonState>(() => 'cgminer 4.11.1')
const { ok } = frames

export function version(state: AvalonState): Fields {
  const { product, name, hwType, firmware, home } = state.row
  const { mac, serial } = state.machine
  const item = {
    CGMiner: '4.11.1',
    API: '3.7',
    PROD: product,
    MODEL: name,
    HWTYPE: hwType,
    SWTYPE: home ? 'MM319' : 'MM317',
    ...(home ? { LVERSION: firmware, BVERSION: firmware, CGVERSION: firmware } : { VERSION: firmware }),
    DNA: dna(serial),
    MAC: home ? mac : mac.replaceAll(':', '').toLowerCase(),
    ...(home ? {} : { UPAPI: '2' }),
  }
  return ok(state, 22, 'CGMiner versions', { VERSION: [item] })
}

/** 16 hex digits that are the serial's own. */
function dna(serial: string): string {
  return Buffer.from(serial).toString('hex').slice(-16)
}

const mhs = (ths: number) => round(ths * 1e6, 2)

export function summary(state: AvalonState): Fields {
  const reading = state.machine.physics.read()
  const pools = state.machine.pools.read()
  const sum = (kind: Parameters<typeof sharesOf>[1]) => sharesOf(pools, kind)
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'MHS av': mhs(reading.avgThs),
    [state.row.home ? 'MHS 5s' : 'MHS 30s']: mhs(reading.rate5sThs),
    'MHS 1m': mhs(reading.rate1mThs),
    'MHS 5m': mhs(reading.rate5mThs),
    'MHS 15m': mhs(reading.rate15mThs),
    'Found Blocks': 0,
    Accepted: sum('accepted'),
    Rejected: sum('rejected'),
    'Hardware Errors': reading.hwErrors,
    Stale: sum('stale'),
    'Total MH': round(reading.workTh * 1e6),
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
    'Device Hardware%': 0,
    'Device Rejected%': 0,
    'Pool Rejected%': 0.1,
    'Pool Stale%': 0.02,
    'Last getwork': 0,
  }
  return ok(state, 11, 'Summary', { SUMMARY: [item] })
}

export function pools(state: AvalonState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    URL: pool.url,
    Status: pool.alive ? 'Alive' : 'Dead',
    Priority: pool.index,
    Quota: 1,
    'Long Poll': 'N',
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Stale: pool.stale,
    User: pool.user,
    ...(state.row.home ? { Password: pool.pass } : {}),
    'Last Share Time': pool.lastShareAgoS === undefined ? 0 : Math.floor(state.when - pool.lastShareAgoS),
    'Has Stratum': true,
    'Stratum Active': pool.active,
    'Stratum URL': pool.active ? pool.url.replace(/^.*:\/\//, '') : '',
    'Stratum Difficulty': pool.active ? pool.difficulty : 0,
    'Work Difficulty': pool.difficulty,
  }))
  return ok(state, 7, `${items.length} Pool(s)`, { POOLS: items })
}

export function stats(state: AvalonState): Fields {
  const reading = state.machine.physics.read()
  const { home } = state.row
  const text = bracketString(state, reading)
  const item = {
    STATS: 0,
    ID: home ? 'AVALON0' : 'AVA100',
    Elapsed: Math.floor(reading.elapsedS),
    Calls: 0,
    ...(home ? { 'MM ID0:Summary': `'STATS':{${text}}`, HBinfo: boardInfo(state, reading) } : { 'MM ID0': text }),
    'MM Count': 1,
  }
  return ok(state, 70, 'CGMiner stats', { STATS: [item] })
}

export function litestats(state: AvalonState): Fields {
  const text = bracketString(state, state.machine.physics.read())
  return ok(state, 70, 'CGMiner stats', { STATS: [{ 'MM ID0:Summary': `'STATS':{${text}}` }] })
}

/** `KEY[value] KEY[value] ...` in the order of the firmware. */
function bracketString(state: AvalonState, reading: Reading): string {
  const { row, machine } = state
  const works = state.isOn && machine.pools.hasWork
  const places = Array.from({ length: row.boards }, (_, slot) => reading.boards.find((board) => board.slot === slot))
  const each = (take: (board: BoardReading) => number) => places.map((board) => (board ? take(board) : 0)).join(' ')
  const ghs = (ths: number) => round(ths * 1000, 2).toFixed(2)
  const hottest = (take: (board: BoardReading) => number) => Math.round(Math.max(0, ...reading.boards.map(take)))
  const on = reading.rateThs > 0
  const pairs: [string, string | number][] = [
    ['Ver', `${row.name}-${row.firmware}`],
    ['DNA', dna(machine.serial)],
    ['NETFAIL', '0 0 0 0 0 0 0 0'],
    ['SYSTEMSTATU', `Work: ${works ? 'In Work' : 'In Idle'}, Hash Board: ${reading.boards.length} `],
    ['Elapsed', Math.floor(reading.elapsedS)],
    ['BOOTBY', '0x01.00000000'],
    ['MH', each(() => Math.floor(reading.hwErrors / row.boards))],
    ['HW', reading.hwErrors],
    ['DH', '1.213%'],
    ...temperaturesOf(state, reading),
    ['TMax', on ? hottest((board) => board.chipMaxC) : 0],
    ['TAvg', on ? hottest((board) => board.chipAvgC) : 0],
    ...reading.fansRpm.map((rpm, index): [string, number] => [`Fan${index + 1}`, rpm]),
    ['FanR', `${state.fanPct ?? Math.round((Math.max(0, ...reading.fansRpm) / 6600) * 100)}%`],
    ['PS', supply(reading, on)],
    ['GHSspd', ghs(reading.rate5sThs)],
    ['GHSmm', ghs(reading.targetThs || row.nominalThs)],
    ['GHSavg', ghs(reading.avgThs)],
    ['Freq', round(reading.frequencyMhz, 2)],
    ...(row.home ? [] : [['Led', Number(state.led)] as [string, number]]),
    ['MGHS', places.map((board) => (board ? ghs(board.rateThs) : '0.00')).join(' ')],
    ...(row.home ? [] : boardTemperatures(each)),
    ['TA', reading.boards.reduce((total, board) => total + board.chips, 0)],
    ['Core', row.core],
    ['PING', 21],
    ...(row.home
      ? []
      : ([
          ['POWS', 0],
          ['HASHS', places.map((board) => Number(!board)).join(' ')],
        ] as [string, string][])),
    ['POOLS', Number(!machine.pools.hasWork)],
    ['SoftOFF', state.isOn ? 0 : 1],
    ['ECHU', places.map((board) => (board && machine.has('overheated') ? 128 : board ? 0 : 513)).join(' ')],
    ['ECMM', 0],
    ...places.map((_, slot): [string, string] => [`SF${slot}`, setPoints(row.frequencyMhz)]),
    ...(row.home ? [] : chipLists(state, places)),
    ['WORKMODE', state.mode],
    ...(row.home ? [['WORKLEVEL', state.mode] as [string, number]] : []),
    ['MPO', row.targetsW[state.mode]!],
  ]
  return pairs.map(([key, value]) => `${key}[${value}]`).join(' ')
}

function temperaturesOf({ row }: AvalonState, { ambientC, inletC, outletC }: Reading): [string, number][] {
  if (!row.home) return [['Temp', Math.round(ambientC)]]
  return [
    ['ITemp', Math.round(ambientC)],
    ['HBITemp', Math.round(inletC)],
    ['HBOTemp', Math.round(outletC)],
  ]
}

function boardTemperatures(each: (take: (board: BoardReading) => number) => string): [string, string][] {
  return [
    ['MTmax', each((board) => Math.round(board.chipMaxC))],
    ['MTavg', each((board) => Math.round(board.chipAvgC))],
  ]
}

/** Error, control, bus, current, output, set point, wall: 10 mV, A and W. */
function supply({ powerW }: Reading, on: boolean): string {
  const output = on ? Math.round(powerW * 0.93) : 0
  return `0 1214 ${on ? 1316 : 4} ${Math.round(output / 13.16)} ${output} 1320 ${Math.round(powerW)}`
}

const setPoints = (mhz: number) => [-30, -10, 10, 30].map((shift) => mhz + shift).join(' ')

function chipLists(state: AvalonState, places: readonly (BoardReading | undefined)[]): [string, string][] {
  return places.flatMap((board, slot): [string, string][] => {
    const lists = chipsOf(state, board)
    return [
      [`PVT_T${slot}`, lists.temps],
      [`PVT_V${slot}`, lists.volts],
      [`MW${slot}`, lists.works],
    ]
  })
}

function boardInfo(state: AvalonState, reading: Reading): string {
  return reading.boards
    .map((board) => {
      const { temps, volts, works } = chipsOf(state, board)
      return `'HB${board.slot}':{PVT_T0[${temps}] PVT_V0[${volts}] MW0[${works}]}`
    })
    .join(' ')
}

/** One value a chip; a lost chip has none. */
function chipsOf({ row, machine }: AvalonState, board: BoardReading | undefined) {
  const list = (take: (chip: number, at: BoardReading) => number) =>
    Array.from({ length: row.chips }, (_, chip) => (board && chip < board.chips ? take(chip, board) : 0)).join(' ')
  const part = (chip: number) => chance(machine.seed + 60 + (board?.slot ?? 0), chip)
  return {
    temps: list((chip, at) => Math.round(at.chipMinC + (at.chipMaxC - at.chipMinC) * part(chip))),
    volts: list((chip) => 300 + Math.floor(15 * part(chip))),
    works: list((chip) => 580 + Math.floor(90 * part(chip))),
  }
}
