import { type Clock, systemClock } from '#model'
import type { Node } from './service.js'

const codes = { SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof codes

/** Ctrl-C under `npm start` comes twice, from the terminal and from npm: signals this close to each other are one. */
const oneSignalMs = 500

export interface SignalWatch {
  /** Resolves when a signal came and the node is closed; says what did not close in time. */
  readonly closed: Promise<{ signal: Signal; late: string[] }>
  /** Leaves the signals to the process again. */
  stop(): void
}

export interface SignalOptions {
  /** Ends the process now; default process.exit. */
  readonly force?: (code: number) => void
  /** Called when the closing begins. */
  readonly onSignal?: (signal: Signal) => void
  readonly clock?: Clock
}

/** The first SIGINT or SIGTERM closes the node, a second one of either forces: exit code 130 or 143. */
export function closeOnSignals(node: Pick<Node, 'close'>, options: SignalOptions = {}): SignalWatch {
  const { force = (code) => process.exit(code), onSignal, clock = systemClock } = options
  let cameAt: number | undefined
  let listen: (signal: Signal) => void = () => {}
  const closed = new Promise<{ signal: Signal; late: string[] }>((resolve, reject) => {
    listen = (signal) => {
      if (cameAt === undefined) {
        cameAt = clock.hr()
        onSignal?.(signal)
        node.close().then(({ late }) => resolve({ signal, late }), reject)
      } else if (clock.hr() - cameAt >= oneSignalMs) {
        force(codes[signal])
      }
    }
  })
  const signals = Object.keys(codes) as Signal[]
  for (const signal of signals) process.on(signal, listen)
  return {
    closed,
    stop() {
      for (const signal of signals) process.off(signal, listen)
    },
  }
}
