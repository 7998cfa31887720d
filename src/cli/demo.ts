import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type DeviceEntry, SdkError } from '#model'

/**
 * The demo site: simulated miners of the big brands, a container, a power meter and sensors, in a process of their own, so that the site is
 * measured and seen alone.
 */
const demoMiners = 24
const demoMix = 'whatsminer:8,antminer:8,avalon:3,braiins:3,bitaxe:2'
const demoPlant = 'wonderint,meter,seneca'
/** The simulators must have bound their sockets within this, ms. */
const readyMs = 15_000

export interface SimulatedDevice extends DeviceEntry {
  library: string
  model?: string
}

export interface DemoDevices {
  readonly devices: SimulatedDevice[]
  close(): void
}

/** Starts the simulators and answers where their devices listen. They end with this process, however it ends. */
export async function startDemoDevices(miners = demoMiners): Promise<DemoDevices> {
  const main = fileURLToPath(import.meta.resolve('#main'))
  const what = ['--miners', String(miners), '--mix', demoMix, '--plant', demoPlant, '--seed', '1', '--faults', '0.08']
  const child = fork(main, ['simulate', ...what], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // The simulators take no part in a terminal's Ctrl-C: the site closes first, then they follow.
    detached: true,
  })
  try {
    const devices = await firstMessage(child)
    child.unref()
    child.channel?.unref()
    return { devices, close: () => void child.kill() }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function firstMessage(child: ChildProcess): Promise<SimulatedDevice[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new SdkError('TIMEOUT', `the simulators did not start within ${readyMs / 1000} s`)),
      readyMs,
    )
    child.once('exit', (code) => reject(new SdkError('UNAVAILABLE', `the simulators ended at once (exit ${code})`)))
    child.on('message', (message: { type?: string; devices?: SimulatedDevice[] }) => {
      if (message.type !== 'devices' || !message.devices) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(message.devices)
    })
  })
}

/** The configuration document of the demo site: one worker a library, the gateway on the next free port. */
export function demoDocument(devices: readonly SimulatedDevice[]): unknown {
  const placed = devices.map((device, place) => ({
    library: device.library,
    entry: device.library.startsWith(minerPrefix) ? minerEntry(device, place) : plantEntry(device),
  }))
  const libraries = [...new Set(devices.map(({ library }) => library))]
  return {
    site: 'demo',
    services: [
      ...libraries.map((lib) => ({
        name: lib.replace(minerPrefix, ''),
        lib,
        devices: placed.filter(({ library }) => library === lib).map(({ entry }) => entry),
      })),
      { name: 'gateway', port: 3000, portFallback: true },
    ],
  }
}

const minerPrefix = 'miner-'
/** So many devices stand in a rack of the demo site, and so many racks in a container. */
const slots = 6
const racks = 2

/** The address of a simulated miner, and a place for it: places are what people find machines by. */
function minerEntry(device: SimulatedDevice, place: number): DeviceEntry {
  const row = Math.floor(place / slots)
  const container = `c${Math.floor(row / racks) + 1}`
  const rack = (row % racks) + 1
  const slot = (place % slots) + 1
  return {
    ...entryOf(device),
    name: `${container}-${rack}-${slot}`,
    tags: [row % 2 === 0 ? 'row-a' : 'row-b'],
    location: { container, rack, slot },
  }
}

/** Plant stands beside the miners of the first container, by the name that it brings. */
function plantEntry(device: SimulatedDevice): DeviceEntry {
  return { ...entryOf(device), tags: ['plant'], location: { container: 'c1' } }
}

function entryOf({ library: _, model: _m, username, password, ...entry }: SimulatedDevice): DeviceEntry {
  return username || password ? ({ ...entry, username, password } as DeviceEntry) : entry
}
