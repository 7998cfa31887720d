import { type CommandGroup, list, text } from '../command.js'
import { age } from '../output.js'

interface Token {
  id: string
  name: string
  scope: string
  sites: string[] | null
  createdAt: number
  expiresAt: number | null
  lastUsedAt: number | null
}

export const token: CommandGroup = {
  ls: {
    usage: '',
    summary: 'list the tokens of the HTTP interface',
    async run({ out, site }) {
      const { data } = await (await site()).get<{ data: Token[] }>('/api/v1/tokens')
      out.table(data, [
        { title: 'id', get: (row) => row.id },
        { title: 'name', get: (row) => row.name },
        { title: 'scope', get: (row) => row.scope },
        { title: 'sites', get: (row) => row.sites?.join(', ') ?? 'all' },
        { title: 'expires', get: (row) => (row.expiresAt === null ? 'never' : new Date(row.expiresAt).toISOString()) },
        { title: 'last used', get: (row) => age(row.lastUsedAt) },
      ])
    },
  },
  create: {
    usage: '',
    summary: 'make a token; it is shown once',
    options: [
      ['--scope <scope>', 'read, control or admin (default read)'],
      ['--name <name>', 'what it is for'],
      ['--site <name...>', 'only for these sites'],
      ['--days <n>', 'valid for so many days'],
    ],
    async run({ options, out, site }) {
      const days = text(options, 'days')
      const made = await (await site()).send<{ token: string }>('POST', '/api/v1/tokens', {
        name: text(options, 'name') ?? 'made by the CLI',
        scope: text(options, 'scope') ?? 'read',
        ...(options.site ? { sites: list(options, 'site') } : {}),
        ...(days ? { expiresAt: Date.now() + Number(days) * 86_400_000 } : {}),
      })
      out.value(made, made.token)
    },
  },
  rm: {
    usage: '<id>',
    summary: 'revoke a token',
    async run({ args, out, site }) {
      await (await site()).send('DELETE', `/api/v1/tokens/${encodeURIComponent(args[0]!)}`)
      out.value({ revoked: args[0] }, `revoked ${args[0]}`)
    },
  },
}
