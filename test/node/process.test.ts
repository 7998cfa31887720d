import test from 'brittle'
import { run } from './programs.js'

const timeout = 60_000

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} closes the node, and the process ends by itself`, { timeout }, async (t) => {
    const site = run(t, 'site', [await t.tmp(), 'nothing'])
    await site.line('ready')
    site.child.kill(signal)
    const { code, out } = await site.end()
    t.is(code, 0)
    t.ok(out.endsWith(`worker closed\nclosed by ${signal}, late: \n`), out)
  })
}

test('a second signal forces', { timeout }, async (t) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const site = run(t, 'site', [await t.tmp(), 'hangs'])
    await site.line('ready')
    site.child.kill('SIGTERM')
    await site.line('worker closes')
    const again = setInterval(() => site.child.kill(signal), 100)
    t.is((await site.end()).code, code)
    clearInterval(again)
  }
})

for (const deed of ['stray throw', 'stray rejection']) {
  test(`an error that belongs to no service closes the node and ends the process with code 1 (${deed})`, {
    timeout,
  }, async (t) => {
    const site = run(t, 'site', [await t.tmp(), deed])
    const { code, out, err } = await site.end()
    t.is(code, 1)
    t.ok(out.includes('worker closed'), 'gracefully')
    t.ok(err.includes('an error that belongs to no service'), 'it is in the log')
    t.ok(err.includes('nobody '), 'with its message')
  })
}

test('an open node keeps its process alive without a server or a timer of its own', { timeout }, async (t) => {
  const site = run(t, 'site', [await t.tmp(), 'nothing'])
  await site.line('ready')
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.is(site.child.exitCode, null)
  site.child.kill('SIGTERM')
  await site.end()
})
