import type { Component, DeviceError, Severity } from '#model'
import { fanStopped } from '../kit/fan-stopped.js'
import { fields, num, rows, str } from '../kit/json.js'
import { maxParts, words } from '../kit/values.js'
import type { BoardNow, Cooling, Mining, Now } from './proto-replies.js'

/** What the rig says of itself in `/errors`; the place counts from 1 there. */
export interface Noted {
  readonly source: string
  readonly place?: number
  readonly vendorCode: string
  readonly message: string
}

const maxErrors = 64

export function parseErrors(reply: unknown): Noted[] {
  return rows(Array.isArray(reply) ? reply : fields(reply).errors)
    .slice(0, maxErrors)
    .map((error) => {
      const place = num(error.slot)
      const isPlace = place !== undefined && Number.isInteger(place) && place >= 1 && place <= maxParts
      const vendorCode = words(error.error_code, 64) ?? 'unnamed'
      return {
        source: (str(error.source) ?? 'rig').toLowerCase(),
        ...(isPlace ? { place: place - 1 } : {}),
        vendorCode,
        message: words(error.message) ?? vendorCode,
      }
    })
}

interface Part {
  readonly component: Component
  readonly name: string
  readonly action: string
}

const parts: Readonly<Record<string, Part>> = {
  rig: { component: 'device', name: 'rig', action: 'Look at its log; reboot it; have it serviced if it stays.' },
  fan: { component: 'fan', name: 'fan', action: 'Check the fan for dirt and its plug; replace it.' },
  psu: { component: 'psu', name: 'psu', action: 'Check mains, cable and cooling of the power supply; replace it.' },
  hashboard: { component: 'board', name: 'board', action: 'Check how the board sits and its cooling; replace it.' },
}

/** The vendor lists no codes: what a code or a message says of heat, silence or loss is what can be told (by its words). */
const kinds: readonly (readonly [pattern: RegExp, suffix: string, severity: Severity, cause?: string])[] = [
  [/over.?(heat|temp)|too hot|temp\w*.?high/i, 'hot', 'critical', 'Air too warm, fans too weak, or dust.'],
  [/not.?(detected|found|present)|missing|lost|disconnect/i, 'missing', 'high', 'It is not seen by the controller.'],
  [/comm|timeout|no.?response|unresponsive/i, 'silent', 'high', 'It does not answer the controller.'],
  [/volt|current|power|input|output/i, 'power', 'high', 'Mains or power supply.'],
  [/stall|stopp|rpm|speed|slow/i, 'speed', 'high', 'It is blocked, worn or not plugged in.'],
  [/warn|degrad|low/i, 'degraded', 'medium'],
]

function vendorError({ source, place, vendorCode, message }: Noted): DeviceError {
  const part = Object.hasOwn(parts, source) ? parts[source]! : parts.rig!
  const [, suffix, severity, cause] = kinds.find(([pattern]) => pattern.test(`${vendorCode} ${message}`)) ?? [
    undefined,
    'fault',
    'high' as const,
  ]
  return {
    code: `${part.name}-${suffix}`,
    vendorCode,
    severity,
    component: part.component,
    ...(place === undefined ? {} : { index: place }),
    message,
    ...(cause === undefined ? {} : { cause }),
    action: part.action,
  }
}

const boardStates: Readonly<Record<string, { code: string; severity: Severity; text: string; action: string }>> = {
  error: {
    code: 'board-fault',
    severity: 'high',
    text: 'reports a fault',
    action: 'Reboot; replace the board if it stays.',
  },
  overheated: {
    code: 'board-hot',
    severity: 'critical',
    text: 'is too hot and has stopped',
    action: 'Check air, fans and dust, then start mining again.',
  },
}

/** All that speaks of trouble: the rig's own list first, then its states. */
export function protoErrors(all: {
  readonly mining?: Mining
  readonly errors?: readonly Noted[]
  readonly boards?: readonly BoardNow[]
  readonly telemetry?: Now
  readonly cooling?: Cooling
}): DeviceError[] {
  const found = (all.errors ?? []).map(vendorError)
  const add = (error: DeviceError) => {
    const isKnown = ({ component, index, code }: DeviceError) =>
      component === error.component && index === error.index && code === error.code
    if (!found.some(isKnown)) found.push(error)
  }
  for (const { index, status } of all.boards ?? []) {
    const state = boardStates[(status ?? '').toLowerCase()]
    if (!state) continue
    const { code, severity, text, action } = state
    add({
      code,
      severity,
      component: 'board',
      index,
      message: `Board ${index} ${text}.`,
      vendorCode: status ?? null,
      action,
    })
  }
  for (const error of stateErrors(all.mining)) add(error)
  for (const error of fanErrors(all.cooling, all.mining)) add(error)
  return found
}

function stateErrors(mining: Mining | undefined): DeviceError[] {
  if (!mining) return []
  const { status, installed, hashing } = mining
  const vendorCode = status
  switch (status.toLowerCase()) {
    case 'nopools':
      return [
        {
          code: 'no-pools',
          vendorCode,
          severity: 'high',
          component: 'pool',
          message: 'The rig has no pool that it can use.',
          cause: 'None is set, or none can be reached.',
          action: 'Set pools; check the network of the site.',
        },
      ]
    case 'error':
      return [
        {
          code: 'mining-stopped',
          vendorCode,
          severity: 'critical',
          component: 'device',
          message: 'The rig has stopped over an error.',
          action: 'See its other errors; reboot it once they are gone.',
        },
      ]
    case 'degradedmining':
      return [
        {
          code: 'boards-not-hashing',
          vendorCode,
          severity: 'high',
          component: 'board',
          message:
            installed === undefined || hashing === undefined
              ? 'Not all boards of the rig hash.'
              : `${hashing} of ${installed} boards hash.`,
          action: 'Look at the boards without hashrate; reboot; replace them.',
        },
      ]
    default:
      return []
  }
}

function fanErrors(cooling: Cooling | undefined, mining: Mining | undefined): DeviceError[] {
  if (!cooling || cooling.mode === 'off' || !mining?.nowThs) return []
  return cooling.fans.filter(({ rpm }) => rpm === 0).map(fanStopped)
}
