// A device library: how one brand is recognised, read and commanded. docs/add-a-device.md builds it step by step.
import { defineDevice, read, restKit } from 'miningsdk'

const { num, rest, rows, str } = restKit

/** Where it listens. `port` of a device entry means this one. */
const port = { name: 'http', default: 8080 }

/** One connection, one call after the other. Where a device has a password, `rest` takes how to sign in. */
const acme = rest('acme', port)
const statusPath = '/api/status'

/** Throws if it is no Acme: then nothing of the reply is believed. */
function parseStatus(reply) {
  const status = restKit.fields(reply)
  if (str(status.vendor) !== 'Acme') throw new Error('the reply names no Acme')
  return status
}

/** The question that tells whether a host is one of ours. It is asked of strangers: it must harm nobody. */
const probe = { name: 'acme status', port, run: (io) => acme.call(io, { path: statusPath }) }

function match(seen) {
  const answer = restKit.fields(seen.answer(probe))
  if (str(answer.vendor) !== 'Acme') return undefined
  return { confidence: 1, why: [`it says that it is an Acme ${answer.model}`], model: str(answer.model) }
}

const acmeMiner = defineDevice({
  library: 'miner-acme',
  kind: 'miner',
  make: 'Acme',
  family: 'stock',
  mainPort: port,
  // Facts of the hardware: with them a lost board or a fan that stands still is found.
  models: { 'AX-1': { boards: 3, chips: 100, fans: 2, cooling: 'air', nominalHashrateThs: 200, efficiencyJTh: 17.5 } },
  identify: { probes: [probe], match },
  reads: { status: read(acme.protocol, { path: statusPath }, parseStatus) },
  // Undefined means "not reported": never put a 0 in its place. The unit is in the name of the field.
  telemetry: (from) => ({
    model: from('status', (status) => str(status.model)),
    serial: from('status', (status) => str(status.serial)),
    firmwareVersion: from('status', (status) => str(status.version)),
    hashrateThs: from('status', (status) => num(status.ghs) / 1000),
    powerW: from('status', (status) => num(status.watts)),
    uptimeS: from('status', (status) => num(status.uptime)),
    chipTempMaxC: from('status', (status) => Math.max(...rows(status.boards).map((board) => num(board.chip_temp)))),
    boards: from('status', (status, model) =>
      rows(status.boards).map((board, slot) => ({
        slot,
        hashrateThs: num(board.ghs) / 1000,
        chips: num(board.chips),
        expectedChips: model.chips,
        chipTempMaxC: num(board.chip_temp),
      })),
    ),
    fans: from('status', (status) => status.fans?.map((rpm, index) => ({ index, rpm: num(rpm) }))),
    led: from('status', (status) => (status.led ? 'blink' : 'off')),
  }),
  commands: {
    setLed: {
      run: async ({ on }, { io }) => {
        await acme.call(io, { path: '/api/led', json: { on } })
      },
      // With it the command is `confirmed`: the device is read again until it shows the change.
      settled: (now, { on }) => (now.led === 'blink') === on,
      settleMs: 5000,
    },
  },
  defaults: { intervalMs: 10_000, timeoutMs: 5000, credentials: [] },
})

/** What the SDK looks for. All of one package are of one library; several firmwares are several families. */
export const devices = [acmeMiner]
