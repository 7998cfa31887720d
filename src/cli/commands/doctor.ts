import { constants } from 'node:fs'
import { access, mkdir, readFile, statfs } from 'node:fs/promises'
import { errorInfo } from '#model'
import type { Totals } from '#replication'
import type { FleetInfo, ServiceHealth } from '#rpc'
import type { Call, CliCommand } from '../command.js'
import { isInDoubt } from '../doubt.js'
import { exit } from '../failure.js'
import { loadSettings } from '../settings.js'
import { meshFindings } from './doctor-mesh.js'
import { type Finding, ok } from './finding.js'

/** Below this the store soon has no room. */
const freeBytes = 1024 ** 3
/** A site of thousands of devices wants so many open sockets. */
const wantedFiles = 1024

const oldestNode = [20, 19] as const

/** Each check answers findings; one that throws is itself a finding. */
const checks: Record<string, (call: Call) => Promise<Finding[]>> = {
  async node() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    const good = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
    return [
      good
        ? ok('node', process.versions.node)
        : { check: 'node', state: 'broken', finding: process.versions.node, action: 'Install Node 20.19 or newer.' },
    ]
  },
  async store() {
    await import('#replication')
    return [ok('store', `native storage loads on ${process.platform}-${process.arch}`)]
  },
  async config({ env }) {
    const { config, demo } = await loadSettings(env)
    return [
      ok(
        'config',
        !demo ? `${config.file}: site ${config.site}, ${config.services.length} services` : 'none: the demo site runs',
      ),
    ]
  },
  async storage({ env }) {
    const { config } = await loadSettings(env)
    await mkdir(config.storage, { recursive: true, mode: 0o700 })
    await access(config.storage, constants.W_OK)
    const { bavail, bsize } = await statfs(config.storage)
    const free = bavail * bsize
    const text = `${config.storage}: ${(free / 1024 ** 3).toFixed(1)} GiB free`
    return [
      free >= freeBytes
        ? ok('storage', text)
        : { check: 'storage', state: 'warning', finding: text, action: 'Free some space: history needs it.' },
    ]
  },
  async files() {
    const limit = await openFiles()
    if (limit === undefined) return []
    return [
      limit >= wantedFiles
        ? ok('open files', String(limit))
        : {
            check: 'open files',
            state: 'warning',
            finding: `at most ${limit}`,
            action: 'Raise it for big sites: ulimit -n 4096. Scans stay complete, but are slower.',
          },
    ]
  },
  async site({ site }) {
    const client = await site()
    const [fleet, services] = await Promise.all([
      client.get<{ totals: Totals }>('/api/v1/fleet'),
      client.get<{ data: ServiceHealth[] }>('/api/v1/services'),
    ])
    const away = (fleet.totals.byStatus.offline ?? 0) + (fleet.totals.byStatus.unknown ?? 0)
    return [
      ok('site', `answers at ${client.url}`),
      ...services.data.map((service): Finding => {
        const check = `service ${service.name}`
        if (service.ready) return ok(check, service.state)
        return {
          check,
          state: 'broken',
          finding: service.reason ?? service.lastError ?? service.state,
          action: 'Look at its log lines.',
        }
      }),
      away === 0
        ? ok('devices', `${fleet.totals.devices}, all answer`)
        : {
            check: 'devices',
            state: 'warning',
            finding: `${away} of ${fleet.totals.devices} do not answer`,
            action: 'miningsdk devices ls --status offline,unknown',
          },
    ]
  },
  mesh: meshFindings,
  async record({ site }) {
    const client = await site()
    const [{ fleet }, { data }] = await Promise.all([
      client.get<{ fleet: FleetInfo | null }>('/api/v1/mesh'),
      client.get<{ data: ServiceHealth[] }>('/api/v1/services'),
    ])
    if (!isInDoubt(fleet, data)) return []
    return [
      {
        check: 'record',
        state: 'warning',
        finding: 'this copy was restored or lost power: it writes nothing before it has met a peer',
        action: 'Start another aggregator; if there is none, stop the site: miningsdk fleet trust-copy',
      },
    ]
  },
}

export const doctor: CliCommand = {
  usage: '',
  summary: 'check this machine and the running site, and say what to do',
  async run(call) {
    const findings: Finding[] = []
    for (const [check, look] of Object.entries(checks)) {
      try {
        findings.push(...(await look(call)))
      } catch (error) {
        const { code, message } = errorInfo(error)
        findings.push(
          code === 'UNAVAILABLE'
            ? { check, state: 'warning', finding: message }
            : { check, state: 'broken', finding: `${message} [${code}]` },
        )
      }
    }
    call.out.table(findings, [
      { title: 'check', get: (row) => row.check },
      { title: 'state', get: (row) => row.state },
      { title: 'finding', get: (row) => row.finding },
      { title: 'what to do', get: (row) => row.action ?? '' },
    ])
    return findings.some((finding) => finding.state === 'broken') ? exit.failed : exit.ok
  },
}

/** The soft limit where the system tells it (Linux); undefined elsewhere. */
async function openFiles(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : Number(soft)
}
