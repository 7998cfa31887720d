import test from 'brittle'
import { SdkError } from '#model'
import { createNode } from '#node'
import { ever, healthOf, limits, openNode, place } from './nodes.js'

test('services start in order of need, and those that need nothing of each other together', async (t) => {
  const order: string[] = []
  const { node } = await openNode(t, [
    place('page', () => void order.push('page'), { after: ['commander', 'worker'] }),
    place('commander', async () => void order.push('commander'), { after: ['worker'] }),
    place('w2', () => void order.push('w2'), { kind: 'worker' }),
    place('w1', () => void order.push('w1'), { kind: 'worker', after: ['a-kind-that-nobody-is'] }),
  ])
  await node.ready()
  t.alike(order, ['w2', 'w1', 'commander', 'page'])
  t.alike(
    node.services().map(({ name, state, ready, reason }) => ({ name, state, ready, reason })),
    ['page', 'commander', 'w2', 'w1'].map((name) => ({ name, state: 'running', ready: true, reason: null })),
  )
})

test('services that wait for each other in a circle are refused, the circle is named', async (t) => {
  const circles = [
    [
      place('a', () => {}, { after: ['b'] }),
      place('b', () => {}, { after: ['c'] }),
      place('c', () => {}, { after: ['a'] }),
    ],
    [place('a', () => {}, { after: ['a'] })],
  ]
  for (const services of circles) {
    try {
      await createNode({ site: 'north', storage: await t.tmp(), services })
      t.fail('it must be refused')
    } catch (error) {
      t.is((error as SdkError).code, 'CONFIG_INVALID')
      t.ok(/circle: a after (b after c after )?a$/.test((error as Error).message), (error as Error).message)
    }
  }
})

test('a service that cannot start holds up neither its neighbours nor those that come after it', async (t) => {
  const { node } = await openNode(t, [
    place('broken', () => {
      throw new SdkError('PORT_IN_USE', 'port 3000 is taken')
    }),
    place('neighbour', () => {}),
    place('later', () => {}, { after: ['broken'] }),
  ])
  await node.ready()
  t.is(healthOf(node, 'neighbour').state, 'running')
  t.is(healthOf(node, 'later').state, 'running')
  const { state, ready, reason, lastError, retryAt } = healthOf(node, 'broken')
  t.alike({ state, ready, lastError }, { state: 'waiting', ready: false, lastError: 'PORT_IN_USE: port 3000 is taken' })
  t.ok(reason?.includes('port 3000'))
  t.ok(retryAt)
})

test('each way to break is a restart of that service alone, with a fresh scope', async (t) => {
  const ways: Record<string, (context: Parameters<Parameters<typeof place>[1]>[0]) => void | Promise<void>> = {
    'throws in start': () => {
      throw new Error('broke')
    },
    'rejects in start': async () => {
      throw new Error('broke')
    },
    'throws in every': ({ every }) => {
      every(1_000, () => {
        throw new Error('broke')
      })
    },
    'rejects in every': ({ every }) => {
      every(1_000, async () => {
        throw new Error('broke')
      })
    },
    'throws in a job of a child': ({ child }) => {
      child().every(1_000, () => {
        throw new Error('broke')
      })
    },
    'rejects unseen': () => {
      Promise.reject(new Error('broke'))
    },
    'rejects unseen, later': ({ clock }) => {
      clock.after(10, async () => {
        throw new Error('broke')
      })
    },
    'throws in a timer': () => {
      setTimeout(() => {
        throw new Error('broke')
      }, 0)
    },
    'throws in an immediate': () => {
      setImmediate(() => {
        throw new Error('broke')
      })
    },
    'throws in a tick': () => {
      process.nextTick(() => {
        throw new Error('broke')
      })
    },
    "throws on the clock's timer": ({ clock }) => {
      clock.after(10, () => {
        throw new Error('broke')
      })
    },
    'throws where it watches the directory': ({ directory, share }) => {
      directory.watch(() => {
        throw new Error('broke')
      })
      share({} as never)
    },
  }
  for (const [way, start] of Object.entries(ways)) {
    const scopes: AbortSignal[] = []
    let closed = 0
    let neighbourRuns = 0
    const { node, clock } = await openNode(t, [
      place('broken', (context) => {
        scopes.push(context.signal)
        context.defer(() => closed++)
        if (scopes.length === 1) return start(context)
      }),
      place('neighbour', ({ every }) => void every(100, () => neighbourRuns++)),
    ])
    await node.ready()
    // Real timers, too, need a turn.
    for (let turn = 0; turn < 100 && healthOf(node, 'broken').lastError === null; turn++) {
      await clock.advance(10)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await clock.advance(0)
    t.is(healthOf(node, 'broken').lastError, 'INTERNAL: broke', way)
    t.is(closed, 1, 'what it had opened is closed')
    t.ok(scopes[0]?.aborted)
    await clock.advance(limits.backoffMs)
    const { state, restarts } = healthOf(node, 'broken')
    t.alike({ state, restarts, runs: scopes.length }, { state: 'running', restarts: 1, runs: 2 })
    t.is(scopes[1]?.aborted, false)
    const { state: neighbour, restarts: none } = healthOf(node, 'neighbour')
    t.alike({ neighbour, none }, { neighbour: 'running', none: 0 })
    t.ok(neighbourRuns > 10)
  }
})

test('the wait before a restart doubles up to its limit, spread by chance', async (t) => {
  for (const [chance, share] of [
    [0, 0.5],
    [1, 1],
  ] as const) {
    const starts: number[] = []
    const { clock } = await openNode(
      t,
      [
        place('broken', ({ clock }) => {
          starts.push(clock.now())
          throw new Error('broke')
        }),
      ],
      { random: () => chance, limits: { ...limits, failuresToFail: 100 } },
    )
    await clock.advance(60_000)
    const waits = starts.slice(1, 7).map((at, index) => at - starts[index]!)
    t.alike(
      waits,
      [1_000, 2_000, 4_000, 8_000, 8_000, 8_000].map((ms) => ms * share),
    )
  }
})

test('after repeated failure it is failed, says so, and is tried again rarely', async (t) => {
  let runs = 0
  let broken = true
  const { node, clock, log } = await openNode(t, [
    place('broken', () => {
      runs++
      if (broken) throw new Error('broke')
    }),
  ])
  await clock.advance(1_000 + 2_000 + 4_000)
  t.is(runs, limits.failuresToFail)
  t.is(healthOf(node, 'broken').state, 'failed')
  t.is(healthOf(node, 'broken').reason, 'failed 4 times in a row: INTERNAL: broke')
  t.is(healthOf(node, 'broken').retryAt, clock.now() + limits.failedRetryMs)
  t.ok(
    log.lines.some(
      ({ level, message, facts }) =>
        level === 'error' && facts.service === 'broken' && message.startsWith('has failed'),
    ),
  )
  await clock.advance(limits.failedRetryMs - 1)
  t.is(runs, 4)
  await clock.advance(1)
  t.is(runs, 5)
  t.is(healthOf(node, 'broken').state, 'failed', 'and again at once')
  broken = false
  await clock.advance(limits.failedRetryMs)
  t.is(healthOf(node, 'broken').state, 'running')
  t.is(healthOf(node, 'broken').retryAt, null)
})

test('a service that ran well for a while begins again at the first wait', async (t) => {
  const starts: number[] = []
  let breakNow: (error: Error) => void = () => {}
  const { clock } = await openNode(t, [
    place('broken', async ({ clock, every }) => {
      starts.push(clock.now())
      if (starts.length < 3) throw new Error('broke')
      every(10 ** 9, () => new Promise((_, reject) => (breakNow = reject)))
    }),
  ])
  await clock.advance(3_000)
  t.is(starts.length, 3)
  await clock.advance(limits.healthyMs)
  const brokeAt = clock.now()
  breakNow(new Error('again'))
  await clock.advance(60_000)
  t.is(starts[3]! - brokeAt, limits.backoffMs)
})

test('a start that does not end in time is broken', async (t) => {
  const { node, clock } = await openNode(t, [place('slow', ever)])
  await clock.advance(limits.startMs - 1)
  t.is(healthOf(node, 'slow').state, 'starting')
  t.is(healthOf(node, 'slow').reason, 'is starting')
  await clock.advance(1)
  t.is(healthOf(node, 'slow').state, 'waiting')
  t.is(healthOf(node, 'slow').lastError, 'TIMEOUT: did not start within 20000 ms')
  await node.ready()
})

test('a service that was alive and falls silent is hung, and is started anew', async (t) => {
  let silent = false
  let runs = 0
  const { node, clock } = await openNode(t, [
    place('worker', ({ every, alive }) => {
      runs++
      silent = false
      every(1_000, () => {
        if (!silent) alive()
      })
    }),
    place('quiet', () => {}),
  ])
  await clock.advance(120_000)
  t.is(runs, 1)
  t.ok(clock.now() - healthOf(node, 'worker').heartbeatAt! <= 1_000)
  silent = true
  await clock.advance(limits.livenessMs - 1_000)
  t.is(healthOf(node, 'worker').state, 'running')
  await clock.advance(2_000)
  t.ok(healthOf(node, 'worker').lastError?.includes('no sign of life'))
  await clock.advance(limits.backoffMs)
  t.is(runs, 2)
  t.is(healthOf(node, 'worker').state, 'running')
  t.is(healthOf(node, 'quiet').restarts, 0, 'one that never called alive is not watched')
})

test('a hung service that does not even end is abandoned, and that is said', async (t) => {
  let runs = 0
  const { node, clock, log } = await openNode(t, [
    place('worker', ({ defer, alive }) => {
      runs++
      if (runs === 1) {
        defer(ever)
        alive()
      }
    }),
  ])
  await clock.advance(limits.livenessMs)
  t.is(healthOf(node, 'worker').state, 'hung')
  await clock.advance(limits.endMs)
  t.ok(log.lines.some(({ message }) => message === 'did not end in time and was abandoned'))
  t.ok(healthOf(node, 'worker').lastError?.includes('abandoned'))
  await clock.advance(limits.backoffMs)
  t.is(runs, 2)
  t.is(healthOf(node, 'worker').state, 'running')
})

test('a process that was suspended calls nobody hung for it', async (t) => {
  let runs = 0
  const { node, clock } = await openNode(t, [
    place('worker', ({ every, alive }) => {
      runs++
      every(1_000, alive)
    }),
  ])
  await clock.advance(10_000)
  await clock.suspend(3_600_000)
  await clock.advance(60_000)
  t.is(runs, 1)
  t.is(healthOf(node, 'worker').state, 'running')
})

test('an error of a run that is over is told, and breaks no other run', async (t) => {
  let runs = 0
  const { node, clock, log } = await openNode(t, [
    place('worker', ({ clock }) => {
      runs++
      if (runs > 1) return
      clock.after(30_000, () => {
        throw new Error('a late one')
      })
      throw new Error('broke')
    }),
  ])
  await clock.advance(60_000)
  t.is(runs, 2)
  t.is(healthOf(node, 'worker').state, 'running')
  t.ok(
    log.lines.some(
      ({ message, facts }) =>
        message === 'an error of a run that is over' && (facts.err as Error).message === 'a late one',
    ),
  )
})

test('readiness has reasons', async (t) => {
  let say: (reason: string | null) => void = () => {}
  const { node } = await openNode(t, [
    place('worker', ({ ready }) => {
      say = ready
      ready('reads its inventory')
    }),
  ])
  await node.ready()
  const seen = () => {
    const { state, ready, reason } = healthOf(node, 'worker')
    return { state, ready, reason }
  }
  t.alike(seen(), { state: 'running', ready: false, reason: 'reads its inventory' })
  say(null)
  t.alike(seen(), { state: 'running', ready: true, reason: null })
})

test('figures are asked for when somebody looks; a fault in the telling harms nobody', async (t) => {
  let asked = 0
  const { node, log } = await openNode(t, [
    place('good', ({ stats }) => stats(() => ({ polls: ++asked, nothing: Number.NaN }))),
    place('bad', ({ stats }) =>
      stats(() => {
        throw new Error('no figures')
      }),
    ),
  ])
  await node.ready()
  t.is(asked, 0)
  t.alike(healthOf(node, 'good').stats, { polls: 1 })
  t.alike(healthOf(node, 'bad').stats, {})
  t.is(healthOf(node, 'bad').state, 'running')
  t.ok(log.lines.some(({ message }) => message === 'could not tell its figures'))
})

test('a service can be restarted by hand: while it runs, waits, or has failed', async (t) => {
  let runs = 0
  let broken = false
  const { node, clock } = await openNode(t, [
    place('worker', () => {
      runs++
      if (broken) throw new SdkError('PORT_IN_USE')
    }),
  ])
  await node.ready()
  await node.restart('worker')
  t.is(runs, 2)
  broken = true
  try {
    await node.restart('worker')
    t.fail('it must say that it did not start')
  } catch (error) {
    t.is((error as SdkError).code, 'PORT_IN_USE')
  }
  t.is(healthOf(node, 'worker').state, 'waiting')
  broken = false
  await node.restart('worker')
  t.is(healthOf(node, 'worker').state, 'running')
  broken = true
  await Promise.all([node.restart('worker').catch(() => {}), node.restart('worker').catch(() => {})])
  await clock.advance(30_000)
  t.is(healthOf(node, 'worker').state, 'failed')
  broken = false
  await node.restart('worker')
  t.is(healthOf(node, 'worker').state, 'running')
  await t.exception(node.restart('nobody'), /there is no service nobody/)
  await node.close()
  await t.exception(node.restart('worker'), /not running/)
})

test('closing goes in reverse order, and the parts of a service in theirs', async (t) => {
  const order: string[] = []
  const { node } = await openNode(t, [
    place('page', ({ defer }) => defer(() => order.push('page')), { after: ['worker'] }),
    place('worker', ({ defer }) => {
      defer(() => order.push('store'))
      defer(() => order.push('poller'))
    }),
  ])
  await node.ready()
  t.alike(await node.close(), { late: [] })
  t.alike(order, ['page', 'poller', 'store'])
  t.alike(
    node.services().map(({ state }) => state),
    ['stopped', 'stopped'],
  )
  t.alike(await node.close(), { late: [] }, 'closing twice is closing once')
})

test('one that does not close is named, and takes no time from the others', async (t) => {
  let storeClosedAt = 0
  const { node, clock } = await openNode(t, [
    place('page', ({ defer }) => defer(ever), { after: ['worker'] }),
    place('worker', ({ clock, defer }) => {
      defer(() => {
        storeClosedAt = clock.hr()
      })
      defer(() => new Promise<void>((resolve) => clock.after(2_000, resolve)))
    }),
  ])
  await node.ready()
  const begun = clock.hr()
  const closed = node.close()
  await clock.advance(limits.shutdownMs)
  t.alike(await closed, { late: ['page'] })
  t.is(storeClosedAt - begun, limits.shutdownMs / 2 + 2_000)
})

test('closing while services start, wait or fail ends them, too', async (t) => {
  const { node, clock } = await openNode(t, [
    place('starting', ever),
    place('waiting', () => {
      throw new Error('broke')
    }),
    place('never', () => t.fail('it must not start any more'), { after: ['starting'] }),
  ])
  await clock.advance(10)
  const closed = node.close()
  await clock.advance(0)
  t.alike(await closed, { late: [] })
  await node.ready()
  await clock.advance(600_000)
  t.alike(
    node.services().map(({ state }) => state),
    ['stopped', 'stopped', 'stopped'],
  )
  t.is(clock.pending, 0, 'nothing is left')
})
