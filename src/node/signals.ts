import type { Node } from './service.js'

const codes = { SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof codes

export interface SignalWatch {
  /** Resolves when a signal came and the node is closed; says what did not close in time. */
  readonly closed: Promise<{ signal: Signal; late: string[] }>
  /** Leaves the signals to the process again. */
  stop(): void
}

/** The first SIGINT or SIGTERM closes the node, a second one of either forces: exit code 130 or 143. */
export function closeOnSignals(
  node: Pick<Node, 'close'>,
  {
    force = (code: number) => void process.exit(code),
    onSignal,
  }: { force?: (code: number) => void; onSignal?: (signal: Signal) => void } = {},
): SignalWatch {
  let came = false
  let listen = (_signal: Signal) => {}
  const closed = new Promise<{ signal: Signal; late: string[] }>((resolve, reject) => {
    listen = (signal) => {
      if (came) return force(codes[signal])
      came = true
      onSignal?.(signal)
      node.close().then(({ late }) => resolve({ signal, late }), reject)
    }
  })
  for (const signal of Object.keys(codes)) process.on(signal, listen)
  return {
    closed,
    stop() {
      for (const signal of Object.keys(codes)) process.off(signal, listen)
    },
  }
}
