import test from 'brittle'
import { closeOnSignals } from '#node'
import { FakeClock, settle } from '../support/fake-clock.js'

test('the first signal closes, one right after it is the same one, a later one forces', async (t) => {
  const clock = new FakeClock()
  const forced: number[] = []
  let closes = 0
  let close: (result: { late: string[] }) => void = () => {}
  const node = {
    close() {
      closes++
      return new Promise<{ late: string[] }>((resolve) => {
        close = resolve
      })
    },
  }
  const seen: string[] = []
  const before = process.listenerCount('SIGTERM')
  const watch = closeOnSignals(node, {
    force: (code) => void forced.push(code),
    onSignal: (signal) => seen.push(signal),
    clock,
  })
  process.emit('SIGINT', 'SIGINT')
  process.emit('SIGINT', 'SIGINT')
  t.alike({ closes, forced }, { closes: 1, forced: [] })
  await clock.advance(500)
  process.emit('SIGINT', 'SIGINT')
  process.emit('SIGTERM', 'SIGTERM')
  t.alike({ closes, forced }, { closes: 1, forced: [130, 143] })
  close({ late: ['worker'] })
  await settle()
  t.alike(await watch.closed, { signal: 'SIGINT', late: ['worker'] })
  t.alike(seen, ['SIGINT'])
  watch.stop()
  t.is(process.listenerCount('SIGTERM'), before)
})
