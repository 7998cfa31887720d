import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { SdkError } from '#model'
import type { SimulatedDevice } from './farm.js'
import type { Fault, FaultKind } from './faults.js'
import type { SimulationOptions } from './run.js'

/** Simulated miners in a process of their own. */
export interface FarmProcess {
  readonly pid: number
  readonly devices: readonly SimulatedDevice[]
  setFault(index: number, fault: Fault): void
  clearFault(index: number, which?: FaultKind): void
  /** Resolves when the process is gone, whoever ended it. */
  readonly exited: Promise<void>
  /** Ends it and waits for that. */
  close(): Promise<void>
}

const startMs = 60_000
/** So much of what a failing process says is told. */
const saysLength = 500

/** The compiled file, or the source where that is what runs. */
const entry = fileURLToPath(import.meta.resolve('#sim-child'))

/**
 * Runs `runSimulation` in a process of its own, so that the simulators neither slow nor fatten the one that asks. It ends with its
 * parent. Rejects with UNAVAILABLE and what the process said if it does not start.
 */
export function forkSimulation(options: Omit<SimulationOptions, 'signal'>): Promise<FarmProcess> {
  const child = fork(entry, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-saysLength)
  })
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer)
      child.kill()
      reject(new SdkError('UNAVAILABLE', `the simulators did not start: ${said.trim() || why}`))
    }
    const timer = setTimeout(() => fail(`nothing heard for ${startMs / 1000} s`), startMs)
    const onExit = (code: number | null) => fail(`exit ${code}`)
    child.once('exit', onExit)
    child.once('error', (error) => fail(error.message))
    child.once('message', (message: { type?: string; devices?: SimulatedDevice[] }) => {
      clearTimeout(timer)
      child.off('exit', onExit)
      resolve(handle(child, message.devices ?? []))
    })
  })
}

function handle(child: ChildProcess, devices: readonly SimulatedDevice[]): FarmProcess {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const order = (message: object) => {
    if (child.connected) child.send(message)
  }
  return {
    pid: child.pid!,
    devices,
    exited,
    setFault: (index, fault) => order({ type: 'fault', index, fault }),
    clearFault: (index, which) => order({ type: 'heal', index, which }),
    close() {
      if (child.connected) child.disconnect()
      return exited
    },
  }
}
