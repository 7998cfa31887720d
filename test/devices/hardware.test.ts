import { readFileSync } from 'node:fs'
import test from 'brittle'
import { type Device, type Model, miners } from '#devices'
import { whatsminerModel } from '../../src/devices/hardware/whatsminer.js'

interface Row {
  readonly make: string
  readonly model: string
  readonly boards: number | undefined
  readonly chips: number | undefined
  readonly fans: number | undefined
}

/** All models that hash SHA-256, or whose algorithm the table does not name: pyasic and asic-rs together (facts, no code). */
const table: readonly Row[] = readFileSync(new URL('../fixtures/models-hardware.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [make = '', model = '', ...numbers] = line.split(',')
    const [boards, chips, fans] = numbers
      .slice(0, 3)
      .map((text) => (text === '' || text === '-' ? undefined : Number(text)))
    return { make, model, boards, chips, fans }
  })

/** Whose library reads a brand. */
const libraries: Readonly<Record<string, string>> = {
  antminer: 'miner-antminer',
  auradine: 'miner-auradine',
  avalon: 'miner-avalon',
  bitaxe: 'miner-bitaxe',
  braiins: 'miner-braiins',
  epic: 'miner-epic',
  luckyminer: 'miner-bitaxe',
  nerdaxe: 'miner-bitaxe',
  sealminer: 'miner-sealminer',
  whatsminer: 'miner-whatsminer',
}

/** No library reads these brands, or this hardware: they speak protocols that are not known here, or hash something else. */
const unread = ['futurebit', 'goldshell', 'innosilicon']
const otherWork = /^(L3|L11)|^NerdMiner$/

/** Where the table is at odds with itself or with a capture. */
const known: Readonly<Record<string, string>> = {
  'antminer S19NoPIC': 'one name for builds of 76 and 88 chips',
  'antminer S19jNoPIC': 'one name for builds of 88 and 114 chips',
  'avalon AvalonQHome': 'the same miner as AvalonHomeQ, which has 4 fans in a capture',
}

/** A Whatsminer's row is by series and variant. */
function rowOf(device: Device, name: string): Model | undefined {
  if (device.library !== 'miner-whatsminer') return device.modelOf(name)
  const [, series = '', variant = ''] = /^(M\d+[A-Z0-9]*?(?:Plus)*)(V[A-Z0-9]+)?$/.exec(name) ?? []
  return whatsminerModel(series.replace(/Plus/g, '+'), variant)
}

test('every SHA-256 model of the table has a row, with its boards, chips and fans', (t) => {
  const missing: string[] = []
  const wrong: string[] = []
  for (const { make, model, boards, chips, fans } of table) {
    const library = libraries[make]
    if (library === undefined || otherWork.test(model)) {
      if (library === undefined && !unread.includes(make)) missing.push(`${make} ${model}: no library`)
      continue
    }
    const row = miners
      .filter((device) => device.library === library)
      .map((device) => rowOf(device, model))
      .find((each) => each !== undefined)
    const name = `${make} ${model}`
    if (!row) missing.push(name)
    else if (!Object.hasOwn(known, name))
      for (const [key, value] of [
        ['boards', boards],
        ['chips', chips],
        ['fans', fans],
      ] as const)
        if (value && row[key] !== undefined && row[key] !== value)
          wrong.push(`${name}: ${key} ${row[key]}, not ${value}`)
        else if (value && row[key] === undefined) wrong.push(`${name}: ${key} unknown, ${value} in the table`)
  }
  t.alike(missing, [])
  t.alike(wrong, [])
  t.ok(table.length > 550, `${table.length} models`)
})

test('firmwares for foreign hardware know all of it', (t) => {
  const names = table
    .filter(({ make, model }) => make === 'antminer' && !otherWork.test(model))
    .map(({ model }) => model)
  for (const device of miners.filter(({ family }) => /^(luxos|vnish|marathon|braiins|braiins-rest|epic)$/.test(family)))
    t.alike(
      names.filter((name) => device.make === 'Bitmain' && !device.modelOf(name)),
      [],
      `${device.library} ${device.family}`,
    )
})
