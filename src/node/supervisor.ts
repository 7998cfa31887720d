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
  /** One more, started at once; it stops before the others. Throws CONFLICT for a name that is taken. Answers how to end it. */
  add(unit: Unit): (withinMs: number) => Promise<void>
  health(): ServiceHealth[]
  /** Stops level after level in reverse. Each gets its share of what is left of the time, so that none uses up all of it. */
  stop(withinMs: number): Promise<{ late: string[] }>
}

/** Throws CONFIG_INVALID if the services wait for each other in a circle. */
export function createSupervisor(members: readonly Member[], clock: Clock): Supervisor {
  const levels = levelsOf(members)
  const units = new Map(members.map(({ unit }) => [unit.name, unit]))
  const added = new Set<Unit>()
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
    add(unit) {
      if (units.has(unit.name)) throw new SdkError('CONFLICT', `there is a service ${unit.name} already`)
      if (stopping) throw new SdkError('UNAVAILABLE', 'the node closes')
      units.set(unit.name, unit)
      added.add(unit)
      return async (withinMs) => {
        await unit.stop(withinMs)
        added.delete(unit)
        units.delete(unit.name)
      }
    },
    health: () => [...units.values()].map((unit) => unit.health()),
    async stop(withinMs) {
      stopping = true
      const endAt = clock.hr() + withinMs
      const late: string[] = []
      const downwards = [...(added.size > 0 ? [[...added]] : []), ...[...levels].reverse()]
      for (const [index, level] of downwards.entries()) {
        const shareMs = Math.max(0, endAt - clock.hr()) / (downwards.length - index)
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
