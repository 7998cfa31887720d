import type { CommandGroup } from '../command.js'
import { text } from '../command.js'
import { askHidden, secretFromStdin } from '../prompt.js'

export const secret: CommandGroup = {
  set: {
    usage: '<device>',
    summary: 'set the password of a device; it is asked for, or read from stdin',
    options: [['--username <name>', 'user name on the device']],
    async run({ args, options, out, site }) {
      const password = process.stdin.isTTY ? await askHidden('password: ') : await secretFromStdin()
      const username = text(options, 'username')
      await (await site()).send('PATCH', `/api/v1/devices/${encodeURIComponent(args[0]!)}`, {
        password,
        ...(username ? { username } : {}),
      })
      out.value({ set: args[0] }, `credentials of ${args[0]} set`)
    },
  },
}
