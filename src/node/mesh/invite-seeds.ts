import { join } from 'node:path'
import b4a from 'b4a'
import { type Static, Type } from '#model'
import { InviteRequestSchema } from '#rpc'
import { jsonFile } from '../json-file.js'

const FileSchema = Type.Record(
  Type.String(),
  Type.Object({
    seed: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    request: InviteRequestSchema,
    closeAt: Type.Number(),
  }),
)

/** So long after its end a door still says why it is closed. */
export const afterwordMs = 86_400_000

export interface KeptInvite {
  readonly seed: Uint8Array
  readonly request: Static<typeof InviteRequestSchema>
  /** When its door closes for good, ms. */
  readonly closeAt: number
}

/** The secret half of the invites that this node made; the record has the rest. */
export interface InviteSeeds {
  get(id: string): Promise<KeptInvite | undefined>
  all(): Promise<[id: string, invite: KeptInvite][]>
  put(id: string, invite: KeptInvite): Promise<void>
  delete(id: string): Promise<void>
}

export function inviteSeeds(folder: string): InviteSeeds {
  const file = jsonFile(join(folder, 'invites.json'), FileSchema)
  let loaded: Promise<Map<string, Static<typeof FileSchema>[string]>> | undefined
  const load = () => {
    loaded ??= file.load().then((kept) => new Map(Object.entries(kept ?? {})))
    return loaded
  }
  const save = async () => file.save(Object.fromEntries(await load()))
  const open = ({ seed, ...rest }: Static<typeof FileSchema>[string]): KeptInvite => ({
    ...rest,
    seed: b4a.from(seed, 'hex'),
  })
  return {
    async get(id) {
      const kept = (await load()).get(id)
      return kept && open(kept)
    },
    all: async () => [...(await load())].map(([id, kept]) => [id, open(kept)]),
    async put(id, { seed, ...rest }) {
      const kept = await load()
      kept.set(id, { ...rest, seed: b4a.toString(seed, 'hex') })
      await save()
    },
    async delete(id) {
      if ((await load()).delete(id)) await save()
    },
  }
}
