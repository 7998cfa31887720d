// Builds dist/: the compiled SDK, its simulators and the page. `--install` is what npm runs after an install: it also drops the
// native builds of other platforms, which are most of the installed size (keep them with MININGSDK_KEEP_PREBUILDS=1).
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const installing = process.argv.includes('--install')

if (installing && !process.env.MININGSDK_KEEP_PREBUILDS) prunePrebuilds('node_modules')

if (!existsSync('node_modules/typescript') || !existsSync('node_modules/vite')) {
  if (!existsSync('dist/src/cli/main.js'))
    fail('building needs the development dependencies: install without --omit=dev')
  process.exit(0)
}
for (const folder of ['src', 'sim', 'chunks']) rmSync(join('dist', folder), { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
// Not at the top: where only users install, it is not there.
await (await import('./pack.js')).pack()
// npm sees to this only when it links the command for the first time.
chmodSync('dist/src/cli/main.js', 0o755)
if (existsSync('web/index.html')) run('node_modules/vite/bin/vite.js', ['build', 'web', '--logLevel', 'warn'])

function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' })
  if (status !== 0) fail(`${script} ${args.join(' ')} failed`)
}

/** Packages carry a folder prebuilds/<platform>-<arch> for each platform; only this machine's is ever loaded. */
function prunePrebuilds(root) {
  for (const name of readdirSync(root)) {
    const path = join(root, name)
    if (name.startsWith('.') || !statSync(path).isDirectory()) continue
    if (name.startsWith('@')) prunePrebuilds(path)
    const prebuilds = join(path, 'prebuilds')
    const own = `${process.platform}-${process.arch}`
    if (!existsSync(join(prebuilds, own))) continue
    for (const other of readdirSync(prebuilds))
      if (other !== own) rmSync(join(prebuilds, other), { recursive: true, force: true })
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
