import { SdkError } from '#model'
import { antminer } from './antminer/index.js'
import { auradineBreeds } from './auradine/index.js'
import { avalonBreeds } from './avalon/index.js'
import { bitaxeBreeds } from './bitaxe/index.js'
import { braiinsBreeds } from './braiins/index.js'
import { type Breed, breedsFrom } from './breed.js'
import { epicBreeds } from './epic/index.js'
import { antminers, whatsminers } from './hardware.js'
import { luxosBreeds } from './luxos/index.js'
import { marathonBreeds } from './marathon/index.js'
import { protoBreeds } from './proto/index.js'
import { sealminerBreeds } from './sealminer/index.js'
import { vnishBreeds } from './vnish/index.js'
import { simulatedPassword, whatsminer } from './whatsminer/index.js'

// On 4433 the accounts have names; on 4028 there is only a password.
const whatsminerBreeds = whatsminers.flatMap((row) => {
  const credentials = { username: row.apiV3 ? 'super' : 'admin', password: simulatedPassword }
  return breedsFrom([row], { family: 'whatsminer', mainDoor: 'rpc', credentials }, whatsminer)
})
const root = { username: 'root', password: 'root' }
const antminerBreeds = breedsFrom(antminers, { family: 'antminer', mainDoor: 'http', credentials: root }, antminer)

export const breeds: readonly Breed[] = [
  ...whatsminerBreeds,
  ...antminerBreeds,
  ...avalonBreeds,
  ...bitaxeBreeds,
  ...auradineBreeds,
  ...epicBreeds,
  ...protoBreeds,
  ...braiinsBreeds,
  ...sealminerBreeds,
  ...luxosBreeds,
  ...vnishBreeds,
  ...marathonBreeds,
]

export const families: readonly string[] = [...new Set(breeds.map(({ family }) => family))]

/** Shares by family, by model, or both: `{ whatsminer: 0.6, antminer: 0.4 }`, `{ M56S: 3, 'braiins/S21 Pro': 1 }`. */
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
    const found = breeds.filter(({ family, model }) =>
      [family, model, `${family}/${model}`].some((each) => plain(each) === plain(name)),
    )
    if (found.length === 0) {
      const names = [...families, ...breeds.map(({ model }) => model)].join(', ')
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
