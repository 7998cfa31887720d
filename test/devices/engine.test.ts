import test from 'brittle'
import {
  type Device,
  defineDevice,
  execute,
  type Io,
  identify,
  observe,
  type Probe,
  type Protocol,
  type Reply,
  read,
} from '#devices'
import { type CommandName, SdkError } from '#model'
import { FakeClock } from '../support/fake-clock.js'

/** A device made of a table of answers; a function computes, an SdkError fails, 'silence' never answers. */
type Answers = Record<string, unknown | (() => unknown)>

function protocolOf(name: string, answers: Answers, log: string[] = []): Protocol<string> {
  return {
    name,
    port: { name, default: 1 },
    async ask(_io, requests): Promise<Reply[]> {
      log.push(`${name}: ${requests.join('+')}`)
      if (requests.some((request) => answers[request] === 'silence')) await new Promise(() => {})
      return requests.map((request) => {
        const answer = typeof answers[request] === 'function' ? (answers[request] as () => unknown)() : answers[request]
        return answer instanceof SdkError ? { error: answer } : { value: answer }
      })
    },
  }
}

function io(clock = new FakeClock()): Io {
  return { host: 'h', ports: {}, credentials: [], signal: new AbortController().signal, memory: new Map(), clock }
}

interface Summary {
  rate?: number
  power?: number
  mode?: string
}

function device(answers: Answers, log: string[] = [], commands: Device['commands'] = {}): Device {
  const main = protocolOf('main', answers, log)
  const side = protocolOf('side', answers, log)
  const summary = (reply: unknown) => {
    if (reply === null || typeof reply !== 'object') throw new SdkError('DEVICE_BAD_REPLY', 'no object')
    return reply as Summary
  }
  return defineDevice({
    library: 'miner-test',
    kind: 'miner',
    make: 'Test',
    family: 'stock',
    mainPort: main.port,
    models: { T1: { boards: 2, chips: 10, fans: 1, nominalHashrateThs: 100 } },
    identify: { probes: [], match: () => undefined },
    reads: {
      summary: read(main, 'summary', summary),
      boards: read(main, 'boards', (reply) => reply as { chips: number; rate: number }[]),
      info: read(main, 'info', summary, { everyMs: 60_000 }),
      extra: read(main, 'extra', summary, { everyMs: 60_000, optional: true }),
      second: read(side, 'second', summary, { insteadOf: ['summary'] }),
    },
    telemetry: (from) => ({
      model: from('info', () => 'T1'),
      hashrateThs: [from('summary', (reply) => reply.rate), from('second', (reply) => reply.rate)],
      powerW: from('summary', (reply) => reply.power),
      psuTempC: from('extra', () => 40),
      asleep: from('summary', (reply) => (reply.mode === undefined ? undefined : reply.mode === 'sleep')),
      boards: from('boards', (reply) =>
        reply.map((board, slot) => ({ slot, chips: board.chips, hashrateThs: board.rate })),
      ),
    }),
    commands,
    defaults: { intervalMs: 10_000, timeoutMs: 300, credentials: [] },
  })
}

const good: Answers = {
  summary: { rate: 90, power: 1800 },
  boards: [
    { chips: 10, rate: 45 },
    { chips: 10, rate: 45 },
  ],
  info: {},
  extra: new SdkError('DEVICE_UNSUPPORTED'),
}

/** Timers of ours keep no process alive; sockets do, and here there are none. */
const alive = setInterval(() => {}, 1000)

test('one visit asks each protocol once for all its due reads, and slow reads only when they are due', async (t) => {
  const log: string[] = []
  const clock = new FakeClock()
  const first = await observe(device(good, log), io(clock))
  t.alike(log, ['main: summary+boards+info+extra'])
  log.length = 0
  const second = await observe(device(good, log), io(clock), { previous: first.replies })
  t.alike(log, ['main: summary+boards'], 'what is young is not asked again, what is unsupported neither')
  t.is(second.telemetry.model, 'T1')
  log.length = 0
  await observe(device(good, log), io(clock), { previous: first.replies, fresh: true })
  t.alike(log, ['main: summary+boards+info+extra'], 'a read-back asks everything')
})

test('what a firmware does not have is not missing; what could not be read is, with the reason; neither is zero', async (t) => {
  const seen = await observe(device({ ...good, boards: new SdkError('DEVICE_TIMEOUT', 'too late') }), io())
  t.is(seen.telemetry.psuTempC, undefined)
  t.absent(seen.missing.psuTempC)
  t.is(seen.telemetry.boards, undefined)
  t.alike(seen.missing.boards, { code: 'DEVICE_TIMEOUT', message: 'too late' })
  t.is(seen.telemetry.hashrateThs, 90)
})

test('a reply that cannot be read makes its fields missing, not zero', async (t) => {
  const seen = await observe(device({ ...good, summary: 'garbage' }), io())
  t.is(seen.missing.powerW?.code, 'DEVICE_BAD_REPLY')
  t.is(seen.telemetry.powerW, undefined)
  t.is(seen.telemetry.hashrateThs, 90, 'the boards give the sum')
})

test('the second way is gone only when the first fails, and then at once with it', async (t) => {
  const log: string[] = []
  const answers: Answers = { ...good, summary: new SdkError('DEVICE_AUTH'), second: { rate: 80 } }
  const first = await observe(device(answers, log), io())
  t.is(first.telemetry.hashrateThs, 80)
  t.alike(log, ['main: summary+boards+info+extra', 'side: second'])
  answers.summary = 'silence'
  const second = await observe(device(answers, log), io(), { previous: first.replies, timeoutMs: 50 })
  t.is(second.telemetry.hashrateThs, 80, 'a silent first way costs nothing once the second is in use')
})

test('a device that gives nothing at all throws the most telling error, within its deadline', async (t) => {
  const failing: Answers = {
    summary: new SdkError('DEVICE_UNREACHABLE'),
    boards: new SdkError('DEVICE_AUTH', 'wrong password'),
    info: new SdkError('DEVICE_UNREACHABLE'),
    extra: new SdkError('DEVICE_UNREACHABLE'),
    second: new SdkError('DEVICE_UNREACHABLE'),
  }
  await t.exception(observe(device(failing), io()), /wrong password/)
  await t.exception(
    observe(device({ summary: 'silence', second: 'silence' }), io(), { timeoutMs: 40 }),
    /took longer than/,
  )
})

test('a lost board, a dead board and lost chips show as errors against the model row', async (t) => {
  const codes = async (boards: unknown) =>
    (await observe(device({ ...good, boards }), io())).telemetry.errors?.map((error) => error.code) ?? []
  t.alike(await codes(good.boards), [])
  t.alike(await codes([{ chips: 10, rate: 45 }]), ['board-missing'])
  t.alike(
    await codes([
      { chips: 10, rate: 45 },
      { chips: 10, rate: 0 },
    ]),
    ['board-not-hashing'],
  )
  t.alike(
    await codes([
      { chips: 10, rate: 45 },
      { chips: 7, rate: 30 },
    ]),
    ['chips-missing'],
  )
  const asleep = await observe(device({ ...good, summary: { rate: 0, mode: 'sleep' }, boards: [] }), io())
  t.alike(asleep.telemetry.errors ?? [], [], 'a miner that sleeps by intent has lost nothing')
})

test('a definition that names a read it does not have is refused when it is made', async (t) => {
  await t.exception(() =>
    defineDevice({
      ...device({}),
      reads: {},
      telemetry: (from) => ({
        powerW: (from as unknown as (name: string, take: () => number) => never)('nothing', () => 1),
      }),
    }),
  )
})

const setLed = (answers: Answers, settles: boolean): Device['commands'] => ({
  setLed: {
    settleMs: 5000,
    check: (input) => {
      if (!input.on) throw new SdkError('DEVICE_REFUSED', 'this one cannot be switched off')
    },
    run: async () => {
      answers.sent = true
      if (settles) answers.summary = { rate: 90, power: 1, mode: 'led' }
    },
    settled: (now) => now.powerW === 1,
  },
})

async function run(answers: Answers, commands: Device['commands'], name: CommandName, input: unknown, dryRun = false) {
  const clock = new FakeClock()
  const receipt = execute(device(answers, [], commands), io(clock), name, input, { dryRun })
  receipt.catch(() => {})
  let ended = false
  receipt.then(
    () => (ended = true),
    () => (ended = true),
  )
  for (let step = 0; step < 100 && !ended; step++) await clock.advance(500)
  return receipt
}

test('a command is confirmed when the device shows it, accepted with the reason when it does not', async (t) => {
  const settling: Answers = { ...good }
  t.is((await run(settling, setLed(settling, true), 'setLed', { on: true })).state, 'confirmed')
  const stubborn: Answers = { ...good }
  const receipt = await run(stubborn, setLed(stubborn, false), 'setLed', { on: true })
  t.is(receipt.state, 'accepted')
  t.ok(/does not show the change/.test(receipt.reason ?? ''))
})

test('what cannot be done is refused before anything is sent: unknown command, wrong input, limits; a dry run sends nothing', async (t) => {
  const answers: Answers = { ...good }
  const commands = setLed(answers, true)
  await t.exception(run(answers, commands, 'reboot', {}), /cannot do reboot/)
  await t.exception(run(answers, commands, 'setLed', { on: 'yes' }), /not valid at \/on/)
  await t.exception(run(answers, commands, 'setLed', { on: false }), /cannot be switched off/)
  const dry = await run(answers, commands, 'setLed', { on: true }, true)
  t.ok(/dry run/.test(dry.reason ?? ''))
  t.absent(answers.sent)
})

test('identification: the strongest evidence wins, a tie is unknown, each probe is asked once', async (t) => {
  let asked = 0
  const probe: Probe = { name: 'hello', port: { name: 'rpc', default: 4028 }, run: async () => ++asked }
  const claiming = (family: string, confidence: number): Device => ({
    ...device({}),
    family,
    identify: {
      probes: [probe],
      match: (seen) => (seen.answer(probe) ? { confidence, why: [`says ${family}`] } : undefined),
    },
  })
  const clear = await identify([claiming('a', 0.9), claiming('b', 0.6)], io())
  t.is(clear.device?.family, 'a')
  t.is(asked, 1)
  const tie = await identify([claiming('a', 0.9), claiming('b', 0.9)], io())
  t.absent(tie.device)
  t.ok(tie.seen.some((line) => /could be Test a or Test b/.test(line)))
  t.absent((await identify([claiming('a', 0.4)], io())).device, 'a weak claim is no identification')
})

test.hook('the process may end', () => clearInterval(alive))
