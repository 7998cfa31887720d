import { openRecord } from '#replication'
import { at, clock, encryptionKey, grant, peer, root, salt } from './support.js'

// Writes members until it is killed, from the one after the last that is there; says on stdout what was acknowledged.
const [path = '', from = '0', boot = ''] = process.argv.slice(2)
const first = peer('first')
const record = await openRecord({ path, encryptionKey, clock, boot, member: first, limits: { ackMs: 5 } })
if (!record.fleet)
  await record.write({
    op: 'createFleet',
    root: root.key,
    name: 'Farm',
    member: 'first',
    grant: grant(first, 'aggregator', { scope: 'admin' }),
    salt,
  })
process.stdout.write('open\n')
for (let count = Number(from); ; count++) {
  const member = peer(`m${count}`)
  await record.write({ op: 'addMember', name: `m${count}`, grant: grant(member, 'worker'), at: at + count })
  process.stdout.write(`${count}\n`)
}
