import type { Component, DeviceError, Severity } from '#model'

/**
 * The vendor's error codes (protocols/whatsminer.md §3), the same in all API versions, as readable errors. In a code `n` stands for the
 * board slot and `c` for a chip; `{n}` and `{c}` in a text are replaced by them. A row may stand for several codes; '' is an unknown cause.
 */
type Row = readonly [
  codes: string,
  code: string,
  severity: Severity,
  component: Component,
  message: string,
  cause: string,
  action: string,
]

const look = 'Look at the power supply and its cables; replace it if the error comes back.'
const mains = 'Measure the mains voltage at the plug and check the load of the circuit.'
const cool = 'Check air or coolant flow and the temperature at the inlet; lower the power mode if it stays hot.'
const reseat = 'Switch off, reseat the cables of board {n}, and replace the board if the error comes back.'
const flash = 'Update or reinstall the firmware; reset to factory settings if the error comes back.'
const clean = 'Clean or replace the fan and check its cable.'
const restart = 'Restart the miner; let the board be repaired if the error comes back.'

// biome-ignore format: a table, one row a line
const rows: readonly Row[] = [
  ['100', 'fan-unknown', 'medium', 'fan', 'The fans are not recognised.', 'A fan of another type, or none.', clean],
  ['110', 'fan-stopped', 'high', 'fan', 'Intake fan speed error.', 'No speed signal from the fan.', clean],
  ['111', 'fan-stopped', 'high', 'fan', 'Exhaust fan speed error.', 'No speed signal from the fan.', clean],
  ['120 130', 'fan-speed', 'high', 'fan', 'The intake fan is far from its set speed.', 'It is worn or blocked.', clean],
  ['121 131', 'fan-speed', 'high', 'fan', 'The exhaust fan is far from its set speed.', 'It is worn or blocked.', clean],
  ['140', 'fan-too-fast', 'medium', 'fan', 'The fans run too fast.', 'The air that comes in is hot.', cool],

  ['200', 'psu-missing', 'critical', 'psu', 'No power supply is found.', 'No connection to its controller.', look],
  ['201', 'psu-mismatch', 'high', 'psu', 'The power supply does not match the miner.', 'Another type is configured.', look],
  ['202', 'psu-output-voltage', 'high', 'psu', 'The output voltage of the power supply is wrong.', '', look],
  ['203 204', 'psu-protecting', 'medium', 'psu', 'The power supply protects itself.', 'It is too hot around it.', cool],
  ['205', 'psu-current', 'medium', 'psu', 'The current of the power supply is wrong.', '', look],
  ['206', 'psu-input-voltage-low', 'medium', 'psu', 'The input voltage of the power supply is low.', '', mains],
  ['207', 'psu-input-current', 'high', 'psu', 'The power supply limits its input current.', '', mains],
  ['208 209', 'psu-power', 'medium', 'psu', 'The power supply reports wrong power values.', '', look],
  ['210', 'psu-status', 'high', 'psu', 'The power supply reports an error state.', '', look],
  ['211', 'psu-output-current', 'high', 'psu', 'The output current of the power supply is wrong.', '', look],
  ['212', 'psu-output-voltage', 'high', 'psu', 'The output voltage is outside its limits.', '', look],
  ['213', 'psu-power', 'medium', 'psu', 'Input and output of the power supply do not fit.', '', look],
  ['214 216', 'psu-power', 'medium', 'psu', 'The power reading does not change.', 'Its measurement may hang.', look],
  ['215', 'psu-output-voltage', 'high', 'psu', 'The output voltage could not be set.', '', look],
  ['217', 'psu-enable', 'medium', 'psu', 'The power supply could not be switched on.', '', look],
  ['218', 'psu-input-voltage-low', 'medium', 'psu', 'Power input voltage is lower than 230V for high power mode.', 'High power mode needs 230 V or more.', 'Use normal or low power mode, or feed it with a higher voltage.'],
  ['219', 'psu-input-current', 'medium', 'psu', 'The input current reading is wrong.', '', look],
  ['233 234 235', 'psu-over-temperature', 'high', 'psu', 'The output stage of the power supply is too hot.', '', cool],
  ['236 237 238 268', 'psu-output-current', 'high', 'psu', 'The power supply gives too much current.', '', look],
  ['239', 'psu-output-voltage', 'high', 'psu', 'The power supply gives too high a voltage.', '', look],
  ['240', 'psu-output-voltage', 'high', 'psu', 'The power supply gives too low a voltage.', '', look],
  ['241', 'psu-output-current', 'medium', 'psu', 'The outputs of the power supply are unequal.', '', look],
  ['243 244 245', 'psu-over-temperature', 'high', 'psu', 'The input stage of the power supply is too hot.', '', cool],
  ['246 247 270', 'psu-input-voltage-high', 'high', 'psu', 'The input voltage is too high.', '', mains],
  ['248 249 269', 'psu-input-current', 'high', 'psu', 'The input current is too high.', '', mains],
  ['250 251 271', 'psu-input-voltage-low', 'high', 'psu', 'The input voltage is too low.', '', mains],
  ['253 254 274', 'psu-fan', 'high', 'psu', 'The fan of the power supply fails.', 'It is blocked or worn.', clean],
  ['255 256', 'psu-over-power', 'high', 'psu', 'The power supply gives too much power.', '', look],
  ['257', 'psu-input-current', 'high', 'psu', 'The primary side of the power supply draws too much.', '', look],
  ['263', 'psu-communication', 'low', 'psu', 'Words with the power supply get lost.', '', look],
  ['264', 'psu-communication', 'high', 'psu', 'The power supply does not answer.', '', look],
  ['265 266 276 277 278 279 280', 'psu-unknown', 'medium', 'psu', 'The power supply reports an unknown error.', '', look],
  ['267', 'psu-watchdog', 'medium', 'psu', 'The watchdog of the power supply has fired.', '', look],
  ['272', 'psu-over-power', 'medium', 'psu', 'The output of the power supply is close to its limit.', '', look],
  ['273', 'psu-over-power', 'medium', 'psu', 'The input power is too high.', '', mains],
  ['275', 'psu-over-temperature', 'medium', 'psu', 'The power supply is getting hot.', '', cool],
  ['281 282 283 284 285 286 287 288 289 290 291 292 293 294 295 296', 'psu-status', 'medium', 'psu', 'The power supply reports a fault of its own.', '', look],

  ['30n', 'sensor-missing', 'high', 'board', 'The temperature sensor of board {n} is not found.', '', reseat],
  ['32n', 'sensor-error', 'medium', 'board', 'The temperature of board {n} cannot be read.', '', reseat],
  ['329', 'sensor-error', 'medium', 'control', 'The control board cannot reach its temperature sensor.', '', flash],
  ['35n', 'over-temperature', 'critical', 'board', 'Board {n} has stopped because it was too hot.', '', cool],
  ['36n', 'over-temperature', 'critical', 'board', 'Board {n} is too hot.', '', cool],
  ['370', 'ambient-temperature', 'medium', 'env', 'The temperature around it changes fast.', '', cool],
  ['38n', 'humidity-sensor', 'low', 'env', 'The humidity sensor cannot be read.', '', flash],

  ['41n', 'board-eeprom', 'high', 'board', 'The memory of board {n} is not found.', 'A loose cable or a broken board.', reseat],
  ['42n', 'board-eeprom', 'high', 'board', 'The memory of board {n} cannot be understood.', '', reseat],
  ['43n', 'chip-type', 'high', 'board', 'The chip type of board {n} is wrong.', 'A board of another miner.', reseat],
  ['44n', 'chip-count', 'high', 'board', 'The chip count of board {n} is wrong.', 'Dead chips break the chain.', restart],
  ['45n', 'board-eeprom', 'high', 'board', 'The memory of board {n} cannot be transferred.', '', reseat],
  ['51n', 'board-mismatch', 'high', 'board', 'Board {n} belongs to another model.', '', 'Put in a board of this model.'],
  ['52n', 'board-mismatch', 'high', 'board', 'Board {n} has chips of another bin.', '', 'Put in a board of this model.'],
  ['53n', 'board-missing', 'high', 'board', 'Board {n} is not found.', 'A loose cable, no power, or a broken board.', reseat],
  ['54n', 'chip-communication', 'high', 'board', 'The chips of board {n} cannot be read.', 'A loose cable or a dead chip.', reseat],
  ['55n', 'chips-bad', 'high', 'board', 'Board {n} has bad chips.', '', restart],
  ['56n', 'board-unbalanced', 'medium', 'board', 'The work of board {n} is out of balance.', '', restart],
  ['57n', 'chip-communication', 'high', 'board', 'A chip of board {n} does not pass data on.', '', reseat],
  ['58n', 'board-reset', 'high', 'board', 'Board {n} could not be reset.', '', reseat],
  ['59n', 'frequency-low', 'medium', 'board', 'The frequency of board {n} is too low.', '', restart],

  ['600', 'ambient-temperature', 'high', 'env', 'Environment temperature is too high.', 'Warm intake air or coolant.', cool],
  ['610', 'ambient-temperature', 'medium', 'env', 'It is too hot for high power mode.', '', cool],
  ['620', 'ambient-temperature', 'low', 'env', 'The temperature around it is near its limit.', '', cool],

  ['700', 'mac-invalid', 'high', 'control', 'The MAC address is not valid.', '', flash],
  ['701', 'control-board-unsupported', 'high', 'control', 'The control board does not know these chips.', '', flash],
  ['710 711 712', 'control-board-restarted', 'medium', 'control', 'The control board has restarted by itself.', '', flash],
  ['713', 'network-unstable', 'medium', 'network', 'The network is unstable.', '', 'Check cable and switch port.'],
  ['714', 'control-board-unknown', 'low', 'control', 'The control board reports an unknown error.', '', flash],
  ['72n', 'board-communication', 'medium', 'board', 'Data of board {n} get damaged.', '', reseat],
  ['800 801 802', 'firmware-checksum', 'high', 'control', 'A program of the firmware is damaged.', '', flash],
  ['810', 'board-mismatch', 'medium', 'control', 'A board of the air-cooled kind is in a liquid-cooled miner.', '', flash],
  ['901', 'psu-power', 'low', 'psu', 'The efficiency of the power supply is out of its range.', '', look],

  ['2000', 'no-pool', 'high', 'pool', 'No pool is set.', '', 'Set the pools.'],
  ['2010', 'pools-disabled', 'critical', 'pool', 'All pools are disabled.', '', 'Set the pools again; check the network.'],
  ['202n', 'pool-unreachable', 'medium', 'pool', 'Pool {n} cannot be reached.', '', 'Check its address and the network.'],
  ['2030', 'pool-rejects', 'medium', 'pool', 'The pool rejects many shares.', '', 'Check the network delay and the worker name.'],
  ['2040', 'pool-asicboost', 'medium', 'pool', 'The pool does not support ASICBoost.', '', 'Use another pool.'],
  ['2050', 'pool-switch', 'medium', 'pool', 'The change to the new pool failed.', '', 'Check the new pool, set it again.'],
  ['211n', 'factory-test', 'low', 'device', 'The factory test stands at step {n}.', '', 'Ask the vendor.'],
  ['2310 2320', 'hashrate-low', 'medium', 'device', 'The hashrate is low.', 'Heat, power or bad chips.', restart],
  ['2330 2340 2350', 'hashrate-loss', 'medium', 'device', 'The hashrate loss is high.', 'Heat, power or bad chips.', restart],

  ['501n', 'chip-voltage', 'high', 'board', 'The chip voltage of board {n} is low.', '', restart],
  ['502n', 'chip-voltage', 'medium', 'board', 'The voltage of board {n} has changed.', '', restart],
  ['503n 504n', 'chip-temperature-spread', 'medium', 'board', 'The chips of board {n} differ much in temperature.', 'Uneven cooling.', cool],
  ['505n', 'over-temperature', 'critical', 'board', 'Board {n} has stopped to protect its chips from heat.', '', cool],
  ['507n', 'coolant-flow', 'high', 'cooling', 'The coolant flow at board {n} is not normal.', 'Pump, filter or air in the loop.', cool],
  ['5080', 'chip-calibration', 'low', 'device', 'The chip temperatures are not calibrated.', '', restart],
  ['509n', 'chip-calibration', 'low', 'board', 'The calibration of board {n} is unbalanced.', '', restart],
  ['511n 517n', 'tuning-timeout', 'medium', 'board', 'Board {n} did not reach its frequency in time.', '', restart],
  ['512n', 'board-communication', 'medium', 'board', 'Board {n} has many transfer errors.', '', reseat],
  ['513n', 'board-unstable', 'medium', 'board', 'Board {n} hashes unstably.', '', restart],
  ['514n', 'board-unstable', 'low', 'board', 'Board {n} hashes below its frequency.', '', restart],
  ['52nc', 'chip-errors', 'low', 'chip', 'Chip {c} of board {n} makes errors.', '', restart],
  ['53nc', 'chip-weak', 'low', 'chip', 'Chip {c} of board {n} brings little.', '', restart],
  ['54nc', 'chip-over-temperature', 'high', 'chip', 'Chip {c} of board {n} was stopped by heat.', '', cool],
  ['55nc', 'chip-reset', 'low', 'chip', 'Chip {c} of board {n} was reset.', '', restart],
  ['56nc', 'chip-dead', 'medium', 'chip', 'Chip {c} of board {n} brings nothing.', '', restart],

  ['8000', 'tool-old', 'low', 'control', 'The tool that set it up is too old.', '', 'Use the present tool.'],
  ['8010', 'frequency-low', 'medium', 'device', 'The frequency is low.', '', restart],
  ['8020', 'hashrate-low', 'medium', 'device', 'The hashrate is low.', '', restart],
  ['8035', 'ambient-temperature', 'medium', 'env', 'The temperature around it is out of range.', '', cool],
  ['8100', 'chip-data', 'medium', 'control', 'The chip data are not valid.', '', flash],
  ['8200 8210 8220', 'device-data', 'medium', 'control', 'Data of power, miner or version are missing.', '', flash],
  ['8300 8400 8410', 'firmware-old', 'medium', 'control', 'The firmware is too old or does not fit.', '', flash],
  ['85n0 85n1 85n2 85n3 85n4', 'board-substandard', 'low', 'board', 'Board {n} is below its standard.', '', restart],
  ['86nc', 'serial-missing', 'low', 'control', 'A serial number is missing.', '', 'Ask the vendor.'],
  ['8700', 'psu-mismatch', 'medium', 'psu', 'Miner and power supply do not match.', '', look],
  ['9000 9010', 'process-killed', 'medium', 'control', 'A process of the firmware was stopped.', '', flash],
  ['9999', 'unknown', 'medium', 'device', 'The miner reports an unknown error.', '', 'Ask the vendor.'],

  ['100000', 'security-library', 'critical', 'security', 'A security library of the firmware is not as delivered.', 'Foreign software.', flash],
  ['100001 100002 100003', 'security-signature', 'critical', 'security', 'A signature of the firmware is not valid.', 'Foreign software.', flash],
  ['100100', 'security-removed', 'critical', 'security', 'The mining program was removed.', 'Foreign software.', flash],
  ['110000 110001', 'security-virus', 'critical', 'security', 'Illegal files were found and removed.', 'Foreign software.', flash],
]

const byCode = new Map(rows.flatMap((row) => row[0].split(' ').map((code) => [code, row] as const)))

/** A position that belongs to a code by itself, not by a digit. */
const fixedIndex: Readonly<Record<string, number>> = { 110: 0, 120: 0, 130: 0, 111: 1, 121: 1, 131: 1 }

interface Found {
  readonly row: Row
  readonly slot?: number
  readonly chip?: number
}

/** The row of a code: as it stands, else by its slot digit, else by slot and chip. */
function find(code: string): Found | undefined {
  const exact = byCode.get(code)
  if (exact) return { row: exact }
  for (const [pattern, slot, chip] of patternsOf(code)) {
    const row = byCode.get(pattern)
    if (row) return { row, slot: Number(slot), ...(chip === undefined ? {} : { chip: Number(chip) }) }
  }
  return undefined
}

/** Six digits that do not begin with 1 are type, slot and a chip of three digits; else the last digit is the slot, or the last two slot and chip. */
function patternsOf(code: string): (readonly [pattern: string, slot: string | undefined, chip?: string | undefined])[] {
  const type = code.slice(0, 2)
  if (code.length === 6 && !code.startsWith('1')) return [[`${type}nc`, code[2], code.slice(3)]]
  if (code.length === 3) return [[`${type}n`, code[2]]]
  if (code.length !== 4) return []
  return [
    [`${code.slice(0, 3)}n`, code[3]],
    [`${type}n${code[3]}`, code[2]],
    [`${type}nc`, code[2], code[3]],
  ]
}

const reasonLength = 200

/** One vendor code as a readable error; `reason` is what the device itself says of it. A code that is not in the table is reported too. */
export function whatsminerError(vendorCode: string, reason?: string): DeviceError {
  const found = find(vendorCode)
  const said = reason?.slice(0, reasonLength)
  if (!found) {
    return {
      code: 'vendor-error',
      vendorCode,
      severity: 'medium',
      component: 'device',
      message: said ?? `The miner reports error ${vendorCode}.`,
      action: 'Look the code up with the vendor.',
    }
  }
  const { row, slot, chip } = found
  const [, code, severity, component, message, cause, action] = row
  const index = slot ?? fixedIndex[vendorCode]
  const fill = (text: string) => text.replace('{n}', String(slot)).replace('{c}', String(chip))
  const because = said ?? (cause || undefined)
  return {
    code,
    vendorCode,
    severity,
    component,
    ...(index === undefined ? {} : { index }),
    message: fill(message),
    ...(because === undefined ? {} : { cause: because }),
    action: fill(action),
  }
}
