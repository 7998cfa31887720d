import { constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { cli, cliArgs } from '../support/cli.js'

const specification = {
  mode: 'microservices',
  runtime: 'pm2',
  services: [
    { name: 'api-gateway', port: 3000 },
    { name: 'wm-m56s', lib: 'miner-whatsminer', deviceType: 'M56S' },
    { name: 'am-s19xp', lib: 'miner-antminer', deviceType: 'S19XP' },
  ],
}

test('the command can be run by its name after any build', { skip: process.platform === 'win32' }, async (t) => {
  const [main] = cliArgs
  await t.execution(access(main!, constants.X_OK))
  t.ok(readFileSync(main!, 'utf8').startsWith('#!/usr/bin/env node'))
})

test('version tells what runs, as text and as JSON', async (t) => {
  const cwd = await t.tmp()
  const [text, json] = await Promise.all([cli(['version'], { cwd }), cli(['version', '--json'], { cwd })])
  t.is(text.code, 0)
  t.ok(/^miningsdk \d+\.\d+\.\d+ \(node /.test(text.stdout))
  t.is(JSON.parse(json.stdout).miningsdk, JSON.parse(readFileSync('package.json', 'utf8')).version)
})

test("the specification's example configuration is accepted as it stands", async (t) => {
  const cwd = await t.tmp()
  writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify(specification))
  const checked = await cli(['config', 'check', '--json'], { cwd })
  t.is(checked.code, 0, checked.stderr)
  t.alike(JSON.parse(checked.stdout).services, 3)
  const printed = JSON.parse((await cli(['config', 'print'], { cwd })).stdout)
  t.is(printed.site, 'home')
  t.is(printed.services[1].intervalMs, 10_000, 'defaults are filled in')
})

test('a wrong configuration is refused with every path and the nearest right name, exit 2', async (t) => {
  const cwd = await t.tmp()
  const wrong = { sight: 'x', mode: 'many', services: [{ name: 'wm', lib: 'miner-whatsminer', devcieType: 'M56S' }] }
  writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify(wrong))
  const { code, stderr } = await cli(['config', 'check'], { cwd })
  t.is(code, 2)
  for (const part of ['CONFIG_INVALID', 'sight', 'mode', 'services[0].devcieType', 'deviceType'])
    t.ok(stderr.includes(part), part)
})

test('init writes a configuration that check accepts, and never over one that is there', async (t) => {
  const cwd = await t.tmp()
  t.is((await cli(['init', '--site', 'texas', '--port', '0'], { cwd })).code, 0)
  t.is(JSON.parse(readFileSync(join(cwd, 'miningsdk.config.json'), 'utf8')).site, 'texas')
  t.is((await cli(['config', 'check'], { cwd })).code, 0)
  const again = await cli(['init'], { cwd })
  t.is(again.code, 1)
  t.ok(again.stderr.includes('--force'))
})

test('exit codes: 2 for wrong usage, 4 without a running site; errors as JSON where asked', async (t) => {
  const cwd = await t.tmp()
  mkdirSync(join(cwd, 'data'))
  const [nonsense, missing, away, unknown] = await Promise.all([
    cli(['nonsense'], { cwd }),
    cli(['devices', 'show'], { cwd }),
    cli(['status', '--json'], { cwd }),
    cli(['command', 'explode', '--all'], { cwd }),
  ])
  t.is(nonsense.code, 2)
  t.is(missing.code, 2)
  t.is(away.code, 4)
  t.is(JSON.parse(away.stderr).error.code, 'UNAVAILABLE')
  t.is(unknown.code, 2)
  t.ok(unknown.stderr.includes('setPowerMode'), 'it says what there is')
})

test('every command explains itself', async (t) => {
  const cwd = await t.tmp()
  const { code, stdout } = await cli(['--help'], { cwd })
  t.is(code, 0)
  const names = [
    'start',
    'init',
    'config',
    'status',
    'devices',
    'watch',
    'scan',
    'command',
    'simulate',
    'doctor',
    'version',
    'history',
    'events',
    'audit',
    'token',
    'secret',
    'library',
    'services',
  ]
  for (const name of names) t.ok(new RegExp(`\\n  ${name}\\b`).test(stdout), name)
})
