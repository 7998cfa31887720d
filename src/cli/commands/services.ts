import type { ServiceHealth } from '#rpc'
import type { CliCommand } from '../command.js'
import { age } from '../output.js'

export const services: CliCommand = {
  usage: '',
  summary: 'every service: state, restarts, what it says of itself',
  async run({ out, site }) {
    const { data } = await (await site()).get<{ data: ServiceHealth[] }>('/api/v1/services')
    out.table(data, [
      { title: 'service', get: (row) => row.name },
      { title: 'kind', get: (row) => row.kind },
      { title: 'state', get: (row) => row.state },
      { title: 'ready', get: (row) => (row.ready ? 'yes' : 'no') },
      { title: 'restarts', get: (row) => row.restarts, align: 'right' },
      { title: 'since', get: (row) => age(row.since), align: 'right' },
      { title: 'version', get: (row) => row.version },
      { title: 'why', get: (row) => row.reason ?? row.lastError },
    ])
  },
}
