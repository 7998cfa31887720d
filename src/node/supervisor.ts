import { type Clock, SdkError } from '#model'
import type { ServiceHealth } from '#rpc'
import type { Unit } from './unit.js'

interface Member {
  readonly unit: Unit
  readonly after: readonly string[]
}

export interface Supervisor {
  /** Starts level after level: all of a level together, the next when each of them has started or failed to. */
  start(): Promise<void>
  unit(name: string): Unit
  health(): ServiceHealth[]
  /** Stops level after level in reverse. Each gets its share of what is left of the time, so that none uses up all of it. */
  stop(withinMs: number): Promise<{ late: string[] }>
}

/** Throws CONFIG_INVALID if the services wait for each other in a circle. */
export function createSupervisor(members: readonly Member[], clock: Clock): Supervisor {
  const levels = levelsOf(members)
  const units = new Map(members.map(({ unit }) => [unit.name, unit]))
  let stopping = false

  return {
    async start() {
      for (const level of levels) {
        if (stopping) return
        await Promise.all(level.map((unit) => unit.start()))
      }
    },
    unit(name) {
      const unit = units.get(name)
      if (!unit) throw new SdkError('NOT_FOUND', `there is no service ${name}`)
      return unit
    },
    health: () => members.map(({ unit }) => unit.health()),
    async stop(withinMs) {
      stopping = true
      const endAt = clock.hr() + withinMs
      const late: string[] = []
      for (const [index, level] of [...levels].reverse().entries()) {
        const shareMs = Math.max(0, endAt - clock.hr()) / (levels.length - index)
        const endings = await Promise.all(level.map((unit) => unit.stop(shareMs)))
        for (const [at, unit] of level.entries()) if (endings[at]?.late) late.push(unit.name)
      }
      return { late }
    },
  }
}

/** Kinds that nobody in this node has are not waited for. */
function levelsOf(members: readonly Member[]): Unit[][] {
  const levels: Unit[][] = []
  let left = [...members]
  while (left.length > 0) {
    const waitingKinds = new Set(left.map(({ unit }) => unit.kind))
    const free = left.filter(({ after }) => !after.some((kind) => waitingKinds.has(kind)))
    if (free.length === 0) throw circle(left)
    levels.push(free.map(({ unit }) => unit))
    left = left.filter((member) => !free.includes(member))
  }
  return levels
}

/** Walks from one kind to one that it waits for until a kind comes again. */
function circle(left: readonly Member[]): SdkError {
  const waitsFor = new Map(left.map(({ unit, after }) => [unit.kind, after]))
  const path: string[] = []
  let kind = left[0]!.unit.kind
  while (!path.includes(kind)) {
    path.push(kind)
    kind = waitsFor.get(kind)!.find((other) => waitsFor.has(other))!
  }
  const round = [...path.slice(path.indexOf(kind)), kind].join(' after ')
  return new SdkError('CONFIG_INVALID', `services wait for each other in a circle: ${round}`)
}
