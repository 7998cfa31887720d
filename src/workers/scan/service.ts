import { randomUUID } from 'node:crypto'
import type { Device } from '#devices'
import { errorInfo, SdkError, type Static, Type } from '#model'
import { type Context, defineService, type Service } from '#node'
import { type Caller, scanner as contract, type Scan, type ScanRequest, serve } from '#rpc'
import { adopt, markKnown } from './adopt.js'
import { parseRanges } from './ranges.js'
import { scanOnce } from './scan.js'

export const ScannerConfigSchema = Type.Object({}, { additionalProperties: false })
export type ScannerConfig = Static<typeof ScannerConfigSchema>

/** Scans share the sockets of the process: so many at once. */
const maxRunning = 2
/** The last scans are remembered, the oldest goes first. */
const maxKept = 20
const pulseMs = 1000

interface Kept {
  scan: Scan
  readonly cancelling: AbortController
}

/** Finds devices and gives them to the workers that accept them. */
export function scanner(devices: () => readonly Device[]): Service<typeof ScannerConfigSchema> {
  return defineService({
    kind: 'scanner',
    config: ScannerConfigSchema,
    after: ['device-worker'],
    start(context: Context<ScannerConfig>) {
      const { clock, directory, log } = context
      const scans = new Map<string, Kept>()
      const running = () => [...scans.values()].filter(({ scan }) => scan.state === 'running')
      const kept = (id: string) => {
        const found = scans.get(id)
        if (!found) throw new SdkError('NOT_FOUND', `there is no scan ${id}`)
        return found
      }

      function start(request: ScanRequest, caller: Caller): Scan {
        parseRanges(request.ranges)
        if (running().length >= maxRunning) {
          throw new SdkError('RATE_LIMITED', `${maxRunning} scans are running: wait for one, or cancel it`)
        }
        const id = randomUUID()
        const cancelling = new AbortController()
        const one: Kept = { scan: blank(id, request, clock.now()), cancelling }
        scans.set(id, one)
        forgetOldest()
        void run(one, request, caller)
        return one.scan
      }

      async function run(one: Kept, request: ScanRequest, caller: Caller) {
        const { id } = one.scan
        const see = (scan: Scan) => {
          // It has ended for others only when what follows from it is done too.
          one.scan = { ...scan, state: 'running' }
        }
        try {
          const scan = await scanOnce(devices(), request, { id, clock, signal: one.cancelling.signal, progress: see })
          markKnown(directory, scan)
          if (request.adopt && scan.state !== 'cancelled') await adopt(directory, scan, caller)
          one.scan = scan
        } catch (error) {
          log.error({ err: error, id }, 'a scan failed')
          one.scan = { ...one.scan, state: 'incomplete', reason: errorInfo(error).message, endedAt: clock.now() }
        }
      }

      function forgetOldest() {
        for (const [id, { scan }] of scans) {
          if (scans.size <= maxKept) return
          if (scan.state !== 'running') scans.delete(id)
        }
      }

      context.defer(() => {
        for (const { cancelling } of scans.values()) cancelling.abort(new SdkError('CANCELLED', 'the scanner stops'))
      })
      context.provide(
        contract,
        serve(
          contract,
          {
            start: (request, { caller }) => start(request, withoutSignal(caller)),
            get: ({ id }) => kept(id).scan,
            list: () => [...scans.values()].map(({ scan }) => scan).reverse(),
            cancel({ id }) {
              const one = kept(id)
              one.cancelling.abort(new SdkError('CANCELLED', 'the scan was cancelled'))
              return one.scan
            },
            async adopt({ id, hosts }, { caller }) {
              const one = kept(id)
              if (one.scan.state === 'running') throw new SdkError('CONFLICT', 'the scan is still running')
              await adopt(directory, one.scan, caller, hosts)
              markKnown(directory, one.scan)
              return one.scan
            },
          },
          { log },
        ),
      )
      context.stats(() => ({ scans: scans.size, running: running().length }))
      context.every(pulseMs, () => context.alive())
    },
  })
}

/** The call that started a scan ends long before the scan. */
function withoutSignal({ signal: _, ...caller }: Caller): Caller {
  return caller
}

function blank(id: string, { ranges }: ScanRequest, startedAt: number): Scan {
  return {
    id,
    state: 'running',
    ranges,
    addresses: 0,
    tried: 0,
    startedAt,
    found: [],
    untried: [],
    adopted: [],
    refused: [],
  }
}
