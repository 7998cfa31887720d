import type { CliCommand, CommandGroup } from '../command.js'
import { audit } from './audit.js'
import { backup, restore } from './backup.js'
import { command } from './command.js'
import { config } from './config.js'
import { devices } from './devices.js'
import { doctor } from './doctor.js'
import { events } from './events.js'
import { fleet, joining } from './fleet.js'
import { history } from './history.js'
import { init } from './init.js'
import { library } from './library.js'
import { invite, invites, members } from './members.js'
import { monitor } from './monitor.js'
import { restart } from './restart.js'
import { scan } from './scan.js'
import { secret } from './secret.js'
import { services } from './services.js'
import { simulate } from './simulate.js'
import { start } from './start.js'
import { status } from './status.js'
import { token } from './tokens.js'
import { version } from './version.js'
import { watch } from './watch.js'

export const single: Readonly<Record<string, CliCommand>> = {
  start,
  init,
  status,
  watch,
  scan,
  command,
  history,
  events,
  audit,
  invite,
  join: joining,
  monitor,
  services,
  backup,
  restore,
  restart,
  simulate,
  doctor,
  version,
}

export const groups: Readonly<Record<string, { summary: string; commands: CommandGroup }>> = {
  config: { summary: 'the configuration', commands: config },
  devices: { summary: 'the devices', commands: devices },
  library: { summary: 'the device libraries', commands: library },
  fleet: { summary: 'the fleet that this site belongs to', commands: fleet },
  members: { summary: 'the peers of the fleet', commands: members },
  invites: { summary: 'invitations to the fleet', commands: invites },
  secret: { summary: 'credentials of devices', commands: secret },
  token: { summary: 'tokens of the HTTP interface', commands: token },
}
