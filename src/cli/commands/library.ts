import type { Device } from '#devices'
import type { CommandGroup } from '../command.js'

export const library: CommandGroup = {
  ls: {
    usage: '',
    summary: 'the device libraries: families, models, commands',
    async run({ out }) {
      const [{ devices }, { libraries }] = await Promise.all([import('#devices'), import('#workers')])
      out.table(libraries(devices as readonly Device[]), [
        { title: 'library', get: (row) => row.library },
        { title: 'kind', get: (row) => row.kind },
        { title: 'make', get: (row) => row.make },
        { title: 'firmware', get: (row) => row.families.join(', ') },
        { title: 'models', get: (row) => row.models.length, align: 'right' },
        { title: 'commands', get: (row) => row.commands.join(', ') },
      ])
    },
  },
}
