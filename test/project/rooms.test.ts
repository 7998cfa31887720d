import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import test from 'brittle'

/** The import table of ARCHITECTURE.md: what each room may take from the other rooms and from packages. */
const rooms: Record<string, { rooms: string[]; packages: string[] }> = {
  model: { rooms: [], packages: ['typebox'] },
  keys: { rooms: ['model'], packages: ['hypercore-crypto', 'sodium-universal', 'b4a', 'z32'] },
  rpc: { rooms: ['model', 'keys'], packages: ['@hyperswarm/rpc', 'b4a'] },
  devices: { rooms: ['model'], packages: [] },
  'devices/kit': { rooms: ['model'], packages: ['aedes', 'undici'] },
  replication: {
    rooms: ['model', 'keys'],
    packages: ['autobase', 'b4a', 'corestore', 'hyperbee', 'hypercore', 'hypercore-crypto', 'rache'],
  },
  node: { rooms: ['model', 'keys', 'rpc', 'replication'], packages: ['pino', 'fastest-levenshtein', 'b4a'] },
  'node/network': {
    rooms: ['model', 'keys'],
    packages: ['b4a', 'hyperswarm', 'hyperdht', 'blind-relay', 'protomux'],
  },
  workers: { rooms: ['model', 'rpc', 'devices', 'replication', 'node'], packages: ['fastest-levenshtein', 'semver'] },
  gateway: {
    rooms: ['model', 'keys', 'rpc', 'replication', 'node'],
    packages: ['fastify', 'prom-client', '@fastify/*'],
  },
  cli: { rooms: ['*', 'sim'], packages: ['commander', 'cli-progress', 'uqr'] },
  sim: { rooms: ['*'], packages: ['mqtt-packet'] },
}

interface Import {
  file: string
  specifier: string
}

const files = ['src', 'sim'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, name)),
)

const statement =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(statement)].map((match) => ({ file, specifier: (match[1] ?? match[2])! })),
)

function roomOf(file: string): string | undefined {
  for (const part of ['devices/kit', 'node/network']) if (file.startsWith(`src/${part}/`)) return part
  return file.startsWith('sim/') ? 'sim' : /^src\/([^/]+)\//.exec(file)?.[1]
}

function allows(list: string[], name: string): boolean {
  return list.some(
    (entry) => entry === '*' || entry === name || (entry.endsWith('/*') && name.startsWith(entry.slice(0, -1))),
  )
}

test('every room imports only what the table allows', (t) => {
  const wrong = imports.filter(({ file, specifier }) => {
    const room = roomOf(file)
    if (room === undefined) return false
    const rule = rooms[room]
    if (!rule) return true
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(file), specifier))
      // Across rooms only through the face; kit is a part of devices, network one of node.
      return roomOf(target)?.split('/')[0] !== room.split('/')[0]
    }
    if (specifier.startsWith('#')) return !allows(rule.rooms, specifier.slice(1))
    if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return false
    const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!
    return !allows(rule.packages, name)
  })
  t.alike(wrong, [])
  t.ok(imports.length > 100, 'the imports were found at all')
})

test('nothing in src imports the simulators, but the command that runs them on demand', (t) => {
  const users = imports
    .filter(({ file, specifier }) => file.startsWith('src/') && specifier === '#sim')
    .map(({ file }) => file)
  t.alike(
    users.filter((file) => !file.startsWith('src/cli/')),
    [],
  )
})

test('no file imports itself over others', (t) => {
  const known = new Set(files)
  const targets = (file: string) =>
    imports
      .filter((each) => each.file === file)
      .map(({ specifier }) => {
        if (specifier.startsWith('#'))
          return specifier === '#sim' ? 'sim/index.ts' : `src/${specifier.slice(1)}/index.ts`
        return normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
      })
      .filter((target) => known.has(target))
  const graph = new Map(files.map((file) => [file, targets(file)]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' > '))
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.alike(circles, [])
})

test('no file of ours grew beyond one idea', (t) => {
  const longest = 400
  const long = files.filter(
    (file) => !file.includes('/hardware/') && readFileSync(file, 'utf8').split('\n').length > longest,
  )
  t.alike(long, [])
})
