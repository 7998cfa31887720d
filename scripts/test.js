// Runs every test file in a process of its own, so that one that crashes, hangs or leaves something open is seen and named.
// Usage: node scripts/test.js [path part ...]   Ends with one line: N passed, N failed[, N skipped]
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

const fileTimeoutMs = 240_000
const pipesTimeoutMs = 5_000
const wanted = process.argv.slice(2)
const files = readdirSync('test', { recursive: true })
  .map((name) => join('test', name))
  .filter((name) => name.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .sort()

const totals = { passed: 0, failed: 0, skipped: 0 }
const running = new Set()

/** A file's process and all that it started: each file has a process group of its own, for a child left behind holds the pipes open for ever. */
function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {} // nobody is left
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) killGroup(child)
    process.exit(1)
  })
}

/** Counts the unindented TAP lines; a file that ends without its epilogue has failed, whatever it printed before. */
function run(file) {
  return new Promise((resolve) => {
    const args = ['--conditions=source', '--import', 'tsx', '--import', './scripts/leave.js', '--no-warnings', file]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, NODE_ENV: 'test' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    running.add(child)
    let late = null
    const end = (reason) => {
      late ??= reason
      killGroup(child)
    }
    let timer = setTimeout(end, fileTimeoutMs, 'did not end in time: something was left open')
    const started = Date.now()
    child.on('exit', () => {
      clearTimeout(timer)
      timer = setTimeout(end, pipesTimeoutMs, 'left a process running')
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      killGroup(child)
      running.delete(child)
      const lines = output.split('\n')
      const failures = lines.filter((line) => /^not ok /.test(line)).length
      const skipped = lines.filter((line) => /^ok .*# SKIP/i.test(line)).length
      const passed = lines.filter((line) => /^ok /.test(line)).length - skipped
      const ended = lines.some((line) => /^# (not )?ok$/.test(line))
      const broken =
        late ?? (!ended ? 'ended before its last test' : code !== 0 && failures === 0 ? `exit ${code}` : null)
      totals.passed += passed
      totals.skipped += skipped
      totals.failed += failures + (broken ? 1 : 0)
      const seconds = ((Date.now() - started) / 1000).toFixed(1)
      console.log(
        `${failures || broken ? 'FAIL' : 'ok  '} ${file}  ${passed} passed${failures ? `, ${failures} failed` : ''}${skipped ? `, ${skipped} skipped` : ''}  ${seconds} s`,
      )
      if (failures || broken) console.log(`${broken ? `     ${broken}\n` : ''}${output.replace(/^/gm, '     | ')}`)
      resolve()
    })
  })
}

const queue = [...files]
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
    for (let file = queue.shift(); file; file = queue.shift()) await run(file)
  }),
)
console.log(`\n${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ''}`)
process.exit(totals.failed > 0 || files.length === 0 ? 1 : 0)
