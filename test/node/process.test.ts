import test, { type Assertions } from 'brittle'
import { run } from './programs.js'

const timeout = 120_000

async function ready(t: Assertions, deed: string) {
  const site = run(t, 'site', [await t.tmp(), deed])
  await site.line('ready')
  return site
}

test('a signal closes the node, and the process ends by itself', { timeout }, async (t) => {
  await Promise.all(
    (['SIGINT', 'SIGTERM'] as const).map(async (signal) => {
      const site = await ready(t, 'nothing')
      // An open node keeps its process alive, without a server or a timer of its own.
      await site.line('still there')
      t.is(site.child.exitCode, null)
      site.child.kill(signal)
      const { code, out } = await site.end()
      t.is(code, 0)
      t.ok(out.endsWith(`worker closed\nclosed by ${signal}, late: \n`), out)
    }),
  )
})

test('a second signal forces', { timeout }, async (t) => {
  const codes = { SIGINT: 130, SIGTERM: 143 } as const
  await Promise.all(
    (['SIGINT', 'SIGTERM'] as const).map(async (signal) => {
      const site = await ready(t, 'hangs')
      site.child.kill('SIGTERM')
      await site.line('worker closes')
      const again = setInterval(() => site.child.kill(signal), 100)
      t.is((await site.end()).code, codes[signal])
      clearInterval(again)
    }),
  )
})

test('an error that belongs to no service closes the node and ends the process with code 1', { timeout }, async (t) => {
  await Promise.all(
    ['stray throw', 'stray rejection'].map(async (deed) => {
      const { code, out, err } = await run(t, 'site', [await t.tmp(), deed]).end()
      t.is(code, 1, deed)
      t.ok(out.includes('worker closed'), 'gracefully')
      t.ok(err.includes('an error that belongs to no service'), 'it is in the log')
      t.ok(err.includes('nobody '), 'with its message')
    }),
  )
})

test('a node whose output nobody reads any more goes on, and ends when it is told to', { timeout }, async (t) => {
  const site = await ready(t, 'nothing')
  site.child.stdout!.destroy()
  site.child.stderr!.destroy()
  site.child.kill('SIGTERM')
  t.is((await site.end()).code, 0)
})
