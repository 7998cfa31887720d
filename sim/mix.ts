import { SdkError } from '#model'
import { antminer } from './antminer/index.js'
import { type AntminerRow, antminers, type WhatsminerRow, whatsminers } from './hardware.js'
import type { MachineOptions } from './machine.js'
import type { Simulator } from './server.js'
import { simulatedPassword, whatsminer } from './whatsminer/index.js'

/** One kind of device that a farm can have: who it is to the worker, and how it is made. */
export interface Breed {
  readonly family: 'whatsminer' | 'antminer'
  readonly library: string
  readonly model: string
  /** The door that `port` of a device entry means. */
  readonly mainDoor: 'rpc' | 'http'
  readonly credentials: { readonly username: string; readonly password: string }
  readonly make: (options: MachineOptions) => Simulator
}

const ofWhatsminer = (row: WhatsminerRow): Breed => ({
  family: 'whatsminer',
  library: 'miner-whatsminer',
  model: row.model,
  mainDoor: 'rpc',
  // On 4433 the accounts have names; on 4028 there is only a password.
  credentials: { username: row.apiV3 ? 'super' : 'admin', password: simulatedPassword },
  make: (options) => whatsminer(row, options),
})

const ofAntminer = (row: AntminerRow): Breed => ({
  family: 'antminer',
  library: 'miner-antminer',
  model: row.model,
  mainDoor: 'http',
  credentials: { username: 'root', password: 'root' },
  make: (options) => antminer(row, options),
})

export const breeds: readonly Breed[] = [...whatsminers.map(ofWhatsminer), ...antminers.map(ofAntminer)]

/** Shares by family or model: `{ whatsminer: 0.6, antminer: 0.4 }`, `{ M56S: 3, 'S21 XP Hyd.': 1 }`. */
export type Mix = Readonly<Record<string, number>>

export const defaultMix: Mix = { whatsminer: 0.5, antminer: 0.5 }

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9+]/g, '')

/** Reads `whatsminer:0.6,antminer:0.4`; throws BAD_REQUEST with the names that there are. */
export function parseMix(text: string): Mix {
  const parts = text.split(',').map((part): [string, number] => {
    const [name = '', share = '1'] = part.split(':')
    return [name.trim(), Number(share)]
  })
  const mix = Object.fromEntries(parts)
  chosen(mix)
  return mix
}

function chosen(mix: Mix): { share: number; breeds: readonly Breed[] }[] {
  const entries = Object.entries(mix).map(([name, share]) => {
    const found = breeds.filter(({ family, model }) => plain(name) === family || plain(name) === plain(model))
    if (found.length === 0) {
      const names = ['whatsminer', 'antminer', ...breeds.map(({ model }) => model)].join(', ')
      throw new SdkError('BAD_REQUEST', `the mix names "${name}", which is not simulated; there are ${names}`)
    }
    if (!(share >= 0)) throw new SdkError('BAD_REQUEST', `the share of "${name}" in the mix is no number from 0 on`)
    return { share, breeds: found }
  })
  if (!entries.some(({ share }) => share > 0)) throw new SdkError('BAD_REQUEST', 'the mix has no share above 0')
  return entries
}

/** The breed of each of so many miners: the shares are met at every length, the models of a family take turns. */
export function breedsOf(mix: Mix, count: number): Breed[] {
  const entries = chosen(mix).map((entry) => ({ ...entry, given: 0 }))
  const total = entries.reduce((sum, { share }) => sum + share, 0)
  return Array.from({ length: count }, (_, index) => {
    const due = (entry: { share: number; given: number }) => ((index + 1) * entry.share) / total - entry.given
    const next = entries.reduce((best, entry) => (due(entry) > due(best) + 1e-9 ? entry : best))
    return next.breeds[next.given++ % next.breeds.length]!
  })
}
