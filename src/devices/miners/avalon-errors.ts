import type { DeviceError } from '#model'
import type { Model } from '../define.js'
import { numberOf, numbersOf } from '../kit/avalon.js'
import { isWorking, type Stats, supplyOf } from './avalon-stats.js'

/** The bits of the power supply's error word (protocols/avalon.md §3.1). */
const supplyBits: readonly (readonly [bits: number, code: string, message: string, action: string])[] = [
  [1, 'psu-input-low', 'The power supply has too little input voltage.', 'Check the mains and the cable.'],
  [2 | 4 | 8, 'psu-hot', 'The power supply is too hot.', 'Check its fan and the temperature at the inlet.'],
  [16, 'psu-input-current', 'The power supply draws too much current.', 'Switch off; replace the power supply.'],
  [32, 'psu-output-low', 'The power supply gives too little voltage.', 'Check the bus bars; replace the power supply.'],
  [64, 'psu-output-current', 'The power supply gives too much current.', 'Check the boards for a short circuit.'],
  [128, 'psu-current-sharing', 'The power supply cannot share its current.', 'Replace the power supply.'],
  [
    256 | 512 | 1024,
    'psu-phase-current',
    'A phase of the power supply has too much current.',
    'Replace the power supply.',
  ],
  [2048, 'fan-psu', 'The fan of the power supply fails.', 'Replace the fan or the power supply.'],
]

const hotChipC = 120
const boardOk = new Set([0, 512])

/** Everything that the bracket string says is wrong (protocols/avalon.md §5); empty while it is told to sleep and has no fault. */
export function errorsOf(stats: Stats, model: Model): DeviceError[] {
  const { own } = stats
  const flag = (key: string) => numberOf(own.get(key)) ?? 0
  return [
    ...supplyErrors(stats),
    ...numbersOf(own.get('ECHU')).flatMap((code = 0, slot) => boardError(code, slot)),
    ...numbersOf(own.get('HASHS')).flatMap((code = 0, slot) => boardState(code, slot)),
    ...controlError(flag('ECMM')),
    ...fanError(flag('FanErr')),
    ...poolError(flag('POOLS')),
    ...hotChips(flag('TMax')),
    ...missingChips(stats, model),
  ]
}

function supplyErrors(stats: Stats): DeviceError[] {
  const supply = supplyOf(stats)
  const status = numberOf(stats.own.get('POWS')) ?? 0
  const trouble = numberOf(stats.own.get('PCOMM_E')) ?? 0
  const errors: DeviceError[] = []
  if (supply?.isSilent || trouble !== 0) {
    errors.push({
      code: 'psu-silent',
      severity: 'high',
      component: 'psu',
      ...(trouble === 0 ? {} : { vendorCode: `PCOMM_E ${trouble}` }),
      message: 'The power supply does not answer the controller.',
      cause: 'Its signal cable, or the power supply itself.',
      action: 'Check the cable between controller and power supply; replace the power supply.',
    })
  }
  const faults = supply?.faults ?? 0
  for (const [bits, code, message, action] of supplyBits) {
    if ((faults & bits) === 0) continue
    errors.push({ code, severity: 'high', component: 'psu', vendorCode: `PS ${faults & bits}`, message, action })
  }
  if (status !== 0 && errors.length === 0) {
    errors.push({
      code: 'psu',
      severity: 'high',
      component: 'psu',
      vendorCode: `POWS ${status}`,
      message: 'The power supply reports a fault.',
      action: 'Switch it off for a minute and on again; replace it if it stays.',
    })
  }
  return errors
}

function boardError(code: number, slot: number): DeviceError[] {
  if (boardOk.has(code)) return []
  const at = { component: 'board', index: slot, vendorCode: `ECHU ${code}` } as const
  if (code === 128) {
    return [
      {
        ...at,
        code: 'board-hot',
        severity: 'critical',
        message: `Board ${slot} is too hot.`,
        cause: 'Air or coolant too warm, fans or flow too weak.',
        action: 'Check cooling and dust; lower the power mode.',
      },
    ]
  }
  const what = code === 513 ? 'is faulty' : `reports error ${code}`
  return [
    {
      ...at,
      code: 'board-fault',
      severity: 'high',
      message: `Board ${slot} ${what}.`,
      action: 'Check its cables and power, then reboot; have it repaired if it stays.',
    },
  ]
}

function boardState(code: number, slot: number): DeviceError[] {
  if (code === 0) return []
  return [
    {
      code: 'board-not-hashing',
      severity: 'high',
      component: 'board',
      index: slot,
      vendorCode: `HASHS ${code}`,
      message: `Board ${slot} does not work.`,
      action: 'Restart mining; look at its temperature and chips if it stays so.',
    },
  ]
}

function controlError(code: number): DeviceError[] {
  if (code === 0) return []
  return [
    {
      code: 'control-board',
      severity: 'high',
      component: 'control',
      vendorCode: `ECMM ${code}`,
      message: code === 1 ? 'The control board is faulty.' : `The control board reports error ${code}.`,
      cause: 'A bad contact, or the control board itself.',
      action: 'Check how it sits and its cables; replace the control board.',
    },
  ]
}

function fanError(code: number): DeviceError[] {
  if (code === 0) return []
  return [
    {
      code: 'fan',
      severity: 'high',
      component: 'fan',
      vendorCode: `FanErr ${code}`,
      message: 'A fan does not work as it should.',
      action: 'Check and replace the fan; the miner may overheat.',
    },
  ]
}

function poolError(code: number): DeviceError[] {
  if (code === 0) return []
  return [
    {
      code: 'pool-connection',
      severity: 'high',
      component: 'pool',
      vendorCode: `POOLS ${code}`,
      message: 'The miner cannot connect to its pool.',
      cause: 'Network, DNS or the pool itself.',
      action: 'Check the network of the site and the pool addresses.',
    },
  ]
}

function hotChips(hottestC: number): DeviceError[] {
  if (hottestC <= hotChipC || hottestC >= 200) return []
  return [
    {
      code: 'chip-hot',
      severity: 'critical',
      component: 'chip',
      message: `The hottest chip has ${hottestC} °C.`,
      cause: 'Air or coolant too warm, fans or flow too weak.',
      action: 'Stop mining; check cooling and dust.',
    },
  ]
}

/** Where no board tells its own chips, the total does. */
function missingChips(stats: Stats, { boards, chips }: Model): DeviceError[] {
  const total = numberOf(stats.own.get('TA'))
  const isToldByBoard = stats.boards.size > 0 || [...stats.own.keys()].some((key) => /^PVT_[TV]\d/.test(key))
  if (isToldByBoard || total === undefined || !boards || !chips || !isWorking(stats)) return []
  const missing = boards * chips - total
  if (missing <= 0) return []
  return [
    {
      code: 'chips-missing',
      severity: missing > chips / 2 ? 'high' : 'medium',
      component: 'chip',
      message: `The miner shows ${total} of ${boards * chips} chips.`,
      action: 'Look at its boards; repair the one whose hashrate is low.',
    },
  ]
}
