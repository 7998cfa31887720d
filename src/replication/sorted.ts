import type Hypercore from 'hypercore'
import { damaged, Reading, Writer } from './bytes.js'
import type { Patience } from './layout.js'
import { packWords, unpackWords } from './words.js'

/**
 * A log that is written once: a block for each device, in the order of their ids, and last a block of all ids. Whoever wants one device
 * reads two blocks.
 */
const version = 1
/** Lists of ids kept in memory, the last used last. */
const keptLists = 8

export function entryOf(id: string, bytes: Uint8Array): Uint8Array {
  const out = new Writer(bytes.length + id.length * 3 + 8)
  out.byte(version)
  out.text(id)
  out.raw(bytes)
  return out.view().slice()
}

export function entryIn(block: Uint8Array): { id: string; bytes: Uint8Array } {
  const from = new Reading(block)
  if (from.byte() !== version) throw damaged('it is no entry of a device')
  const id = from.text()
  return { id, bytes: from.raw(from.left) }
}

export function listOf(ids: readonly string[]): Uint8Array {
  const words = packWords(JSON.stringify(ids))
  const out = new Writer(words.length + 1)
  out.byte(version)
  out.raw(words)
  return out.view().slice()
}

/** Reads such logs. */
export class SortedLogs {
  readonly #open: (name: string) => Hypercore
  readonly #lists = new Map<string, Map<string, number>>()

  /** `open` opens a session of a log; it is closed after reading. */
  constructor(open: (name: string) => Hypercore) {
    this.#open = open
  }

  /**
   * What stands of a device in a log of so many devices; undefined if nothing does. Throws if a block is not here and does not come.
   */
  async get(
    name: string,
    devices: number,
    id: string,
    {
      patience,
      reach,
    }: { patience: Patience; reach?: ((log: Hypercore, length: number) => Promise<void>) | undefined },
  ): Promise<Uint8Array | undefined> {
    const log = this.#open(name)
    try {
      await log.ready()
      if (reach) await reach(log, devices + 1)
      const place = (await this.#list(name, log, devices, patience)).get(id)
      if (place === undefined) return undefined
      const entry = entryIn(await blockOf(log, place, patience))
      if (entry.id !== id) throw damaged('it is of another device')
      return entry.bytes
    } finally {
      await log.close()
    }
  }

  async #list(name: string, log: Hypercore, devices: number, patience: Patience): Promise<Map<string, number>> {
    const known = this.#lists.get(name)
    this.#lists.delete(name)
    const list = known ?? placesOf(await blockOf(log, devices, patience), devices)
    this.#lists.set(name, list)
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= keptLists) break
      this.#lists.delete(oldest)
    }
    return list
  }
}

async function blockOf(log: Hypercore, index: number, patience: Patience): Promise<Uint8Array> {
  const block = await log.get(index, patience)
  if (!block) throw new Error('a block is not here')
  return block
}

function placesOf(block: Uint8Array, devices: number): Map<string, number> {
  let ids: unknown
  try {
    ids = JSON.parse(unpackWords(block.subarray(1)))
  } catch (cause) {
    throw damaged('its list of devices cannot be read', cause)
  }
  if (block[0] !== version || !Array.isArray(ids) || ids.length !== devices)
    throw damaged('its list of devices is none')
  return new Map(ids.map((id, place) => [String(id), place]))
}
