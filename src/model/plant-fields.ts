import type { Field } from './field.js'

const volts = (title: string): Field => ({ unit: 'V', title, group: 'mean', min: 0, max: 1e6 })
const amperes = (title: string): Field => ({ unit: 'A', title, group: 'none', min: 0, max: 1e5 })
const signed = (unit: string, title: string): Field => ({ unit, title, group: 'none', min: -1e9, max: 1e9 })
const factor = (title: string): Field => ({ unit: '', title, group: 'none', min: -1, max: 1 })
const energy = (title: string): Field => ({ unit: 'kWh', title, counter: true, group: 'none', min: 0, max: 1e13 })
const temperature = (title: string): Field => ({ unit: '°C', title, group: 'max', min: -60, max: 200 })
const kilopascals = (title: string): Field => ({ unit: 'kPa', title, group: 'mean', min: -100, max: 1e5 })
const percent = (title: string): Field => ({ unit: '%', title, group: 'mean', min: 0, max: 100 })
const bitcoins = (title: string): Field => ({ unit: 'BTC', title, group: 'sum', min: 0, max: 21e6 })
const count = (title: string): Field => ({ unit: '1', title, group: 'sum', min: 0 })

/**
 * Of power meters and of whatever has one built in (protocols/powermeters.md §6). Meters stand behind one another, so their values are not
 * added up; a site's own power is that of the meters which its operator has said to stand at its connection (`measures: "site"`).
 */
export const electricityFields = {
  sitePowerW: {
    unit: 'W',
    title: 'Power of the site, of the meters at its connection',
    group: 'sum',
    min: -1e9,
    max: 1e9,
  },
  voltageV: volts('Voltage, mean of the lines'),
  voltageL1V: volts('Voltage L1 to neutral'),
  voltageL2V: volts('Voltage L2 to neutral'),
  voltageL3V: volts('Voltage L3 to neutral'),
  voltageL12V: volts('Voltage L1 to L2'),
  voltageL23V: volts('Voltage L2 to L3'),
  voltageL31V: volts('Voltage L3 to L1'),
  currentA: amperes('Current, all phases together'),
  currentL1A: amperes('Current L1'),
  currentL2A: amperes('Current L2'),
  currentL3A: amperes('Current L3'),
  currentNA: amperes('Current in the neutral'),
  powerL1W: signed('W', 'Power L1'),
  powerL2W: signed('W', 'Power L2'),
  powerL3W: signed('W', 'Power L3'),
  reactivePowerVar: signed('var', 'Reactive power'),
  reactiveL1Var: signed('var', 'Reactive power L1'),
  reactiveL2Var: signed('var', 'Reactive power L2'),
  reactiveL3Var: signed('var', 'Reactive power L3'),
  apparentPowerVa: signed('VA', 'Apparent power'),
  apparentL1Va: signed('VA', 'Apparent power L1'),
  apparentL2Va: signed('VA', 'Apparent power L2'),
  apparentL3Va: signed('VA', 'Apparent power L3'),
  powerFactor: factor('Power factor'),
  powerFactorL1: factor('Power factor L1'),
  powerFactorL2: factor('Power factor L2'),
  powerFactorL3: factor('Power factor L3'),
  frequencyHz: { unit: 'Hz', title: 'Mains frequency', group: 'mean', min: 0, max: 500 },
  energyImportKwh: energy('Energy taken from the grid'),
  energyExportKwh: energy('Energy fed into the grid'),
  thdVoltagePct: { ...percent('Distortion of the voltage, worst line'), group: 'max' },
  thdCurrentPct: { ...percent('Distortion of the current, worst phase'), group: 'max' },
} as const satisfies Record<string, Field>

/** Of containers and their cooling: supply is what goes to the miners, return what comes from them. */
export const coolingFields = {
  supplyTempC: temperature('Coolant to the miners'),
  returnTempC: temperature('Coolant from the miners'),
  secondarySupplyTempC: temperature('Water to the heat exchanger'),
  secondaryReturnTempC: temperature('Water from the heat exchanger'),
  setpointTempC: { ...temperature('Coolant temperature that is set'), group: 'none' },
  outdoorTempC: temperature('Outdoor air'),
  dewPointC: temperature('Dew point of the air inside'),
  humidityPct: percent('Relative humidity'),
  flowLpm: { unit: 'L/min', title: 'Coolant flow', group: 'none', min: 0, max: 1e6 },
  supplyPressureKpa: kilopascals('Coolant pressure to the miners'),
  returnPressureKpa: kilopascals('Coolant pressure from the miners'),
  pumpSpeedPct: percent('Pump speed'),
  upsBatteryPct: percent('Battery of the uninterruptible supply'),
} as const satisfies Record<string, Field>

/** Of sensors: one number a quantity (the highest of several), and the single temperature channels. */
export const sensorFields = {
  temperatureC: { ...temperature('Temperature, hottest channel'), max: 1500 },
  temperature1C: { ...temperature('Temperature, channel 1'), max: 1500 },
  temperature2C: { ...temperature('Temperature, channel 2'), max: 1500 },
  temperature3C: { ...temperature('Temperature, channel 3'), max: 1500 },
  temperature4C: { ...temperature('Temperature, channel 4'), max: 1500 },
  pressureKpa: kilopascals('Pressure'),
  levelPct: percent('Level'),
  digital: { unit: '1', title: 'Digital input: 1 is on', group: 'max', min: 0, max: 1 },
} as const satisfies Record<string, Field>

/** Of an account at a mining pool (protocols/pools.md); its hashrate has the miners' names and is what the pool sees. */
export const cashFields = {
  balanceBtc: bitcoins('Balance that can be paid out'),
  unsettledBtc: bitcoins('Earned, not settled yet'),
  paidBtc: bitcoins('Paid out in all'),
  revenue24hBtc: bitcoins('Earned in the last 24 h'),
  estimatedTodayBtc: bitcoins('Estimated for today'),
  staleHashrate1hThs: { unit: 'TH/s', title: 'Stale hashrate, mean of 1 h', group: 'sum', min: 0, max: 1e9 },
  staleHashrate24hThs: { unit: 'TH/s', title: 'Stale hashrate, mean of 24 h', group: 'sum', min: 0, max: 1e9 },
  workerCount: count('Workers that the pool knows'),
  activeWorkers: count('Workers that the pool sees at work'),
  poolUptimePct: percent('Share of time at work, as the pool sees it'),
} as const satisfies Record<string, Field>

const onceForAll = (unit: string, title: string, limits: { min?: number; max?: number } = { min: 0 }): Field => ({
  unit,
  title,
  group: 'max',
  ...limits,
})

/** Of the Bitcoin network: the same for everybody. */
export const networkFields = {
  blockHeight: onceForAll('1', 'Height of the chain'),
  difficulty: onceForAll('1', 'Difficulty of the network'),
  networkHashrateThs: onceForAll('TH/s', 'Hashrate of the network'),
  nextAdjustmentPct: onceForAll('%', 'Expected next change of the difficulty', { min: -100, max: 1000 }),
  blocksToAdjustment: onceForAll('1', 'Blocks until the difficulty changes'),
  blockRewardBtc: onceForAll('BTC', 'Reward of a block with its fees, mean', { min: 0, max: 1000 }),
  feeFastSatVb: onceForAll('sat/vB', 'Fee for the next block'),
  feeHourSatVb: onceForAll('sat/vB', 'Fee for within an hour'),
  feeMinimumSatVb: onceForAll('sat/vB', 'Least fee that is relayed'),
  priceUsd: onceForAll('USD', 'Price of a bitcoin'),
  hashpriceSatThDay: onceForAll('sat/TH/d', 'What a TH/s earns in a day'),
} as const satisfies Record<string, Field>
