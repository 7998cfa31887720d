import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node, SiteConfig } from '#node'
import type { Call, CliCommand } from '../command.js'
import { exit } from '../failure.js'
import { isConfigured, loadSettings, type Settings } from '../settings.js'
import { type SiteFile, siteFile } from '../site-client.js'

export const start: CliCommand = {
  usage: '',
  summary: 'run the site of this folder; without a configuration file the demo site',
  options: [['--demo', 'the demo site of simulated devices, whatever is configured']],
  ownSignals: true,
  async run(call) {
    const demo = call.options.demo === true || !isConfigured(call.env)
    return demo ? runDemo(call) : runSite(await loadSettings(call.env), call)
  },
}

/** The devices start in a process of their own while this one loads what the site needs. */
async function runDemo(call: Call): Promise<number> {
  const [simulators, { demoDocument }, { readConfig }, { kinds }] = await Promise.all([
    import('../demo.js').then(({ startDemoDevices }) => startDemoDevices()),
    import('../demo.js'),
    import('#node'),
    import('../site.js'),
  ])
  try {
    const config = readConfig(demoDocument(simulators.devices), { env: call.env, kinds })
    return await runSite({ demo: true, config }, call)
  } finally {
    simulators.close()
  }
}

/** Runs until a signal ends it; then everything closes in reverse order. */
export async function runSite({ config, demo }: Settings, { out, env }: Call): Promise<number> {
  const [
    { closeOnSignals, createLog, createNode, logLevelOf },
    { placementsOf },
    { ensureFleet, meshOf },
    { announceProcesses, followParent, openProcesses },
    { gatewayContract },
  ] = await Promise.all([
    import('#node'),
    import('../site.js'),
    import('../mesh.js'),
    import('../processes.js'),
    import('#rpc'),
  ])
  const log = createLog({ level: logLevelOf(env) })
  for (const warning of config.warnings) log.warn({}, warning)
  const { site, storage, mode, only } = config
  const many = mode === 'microservices' && only === null
  if (!many) await ensureFleet(config, log)
  const mesh = many ? undefined : await meshOf(config)
  const node = many
    ? await openProcesses(config, env, log)
    : await createNode({
        site,
        storage,
        mode,
        demo,
        services: placementsOf(config, mesh),
        log,
        ...(mesh ? { mesh } : {}),
        ...(only === null ? {} : { process: only, leave: () => void leave() }),
      })
  const leave = () => node.close().then(() => process.exit())
  const watch = closeOnSignals(node, { onSignal: (signal) => out.note(`${signal}: closing (again to force)`) })
  const release = many ? () => {} : followParent(node)
  const written = join(storage, siteFile)
  try {
    await node.ready()
    if (many) announceProcesses(node, config, out.note)
    else await announce(node, { config, demo }, out.note, written)
    const hasPage = node.directory.find(gatewayContract).length > 0
    const { late } = await watch.closed
    if (hasPage) rmSync(written, { force: true })
    if (late.length > 0) out.note(`did not close in time: ${late.join(', ')}`)
    return exit.ok
  } finally {
    watch.stop()
    release()
  }
}

/** What a newcomer needs: where the page is, how to sign in, where the token lies, what to do next. */
async function announce(node: Node, { config, demo }: Settings, say: (text: string) => void, file: string) {
  const failed = node.services().filter((service) => !service.ready)
  for (const service of failed)
    say(`! ${service.name} does not run: ${service.reason ?? service.lastError ?? service.state}`)
  const { gatewayContract } = await import('#rpc')
  if (node.directory.find(gatewayContract).length === 0)
    return config.only === null ? say(`site ${config.site} runs without a gateway: no page, no HTTP`) : undefined
  const gateway = node.connect(gatewayContract)
  const [address, signIn] = await Promise.all([gateway.address({}), gateway.signInCode({})])
  const facts: SiteFile = { url: address.url, pid: process.pid, site: config.site, demo }
  writeFileSync(file, JSON.stringify(facts), { mode: 0o600 })
  const moved = address.port === address.wantedPort ? '' : ` (port ${address.wantedPort} was taken)`
  say(
    [
      '',
      `  MiningSDK: site ${config.site}${demo ? ', a DEMO of simulated devices' : ''}`,
      '',
      `  Dashboard      ${address.url}${moved}`,
      `  Sign in once   ${signIn.url}`,
      `  Admin token    ${join(config.storage, 'admin.token')}`,
      `  API            ${address.url}/api/docs`,
      '',
      `  Next: ${nextStep(config, demo)}`,
      '',
    ].join('\n'),
  )
}

function nextStep({ services }: SiteConfig, demo: boolean): string {
  if (demo) return 'miningsdk init, to make a site of your own'
  if (services.some(({ kind }) => kind === 'device-worker'))
    return 'miningsdk scan <your network, e.g. 10.0.0.0/22> --add'
  return 'miningsdk status, or open the page'
}
