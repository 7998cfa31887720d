import type { CommandFacts } from './command-facts.js'
import { containerCommands } from './container-commands.js'
import { type Static, Type } from './schema.js'

const none = Type.Object({}, { additionalProperties: false })
const strict = { additionalProperties: false } as const

export const PoolInputSchema = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-z0-9+]+://[^\\s]+$' }),
    user: Type.String({ minLength: 1, maxLength: 255 }),
    password: Type.Optional(Type.String({ maxLength: 255 })),
  },
  strict,
)
export type PoolInput = Static<typeof PoolInputSchema>

export const commands = {
  reboot: { title: 'Reboot the controller', risk: 'disruptive', input: none },
  restartMiner: { title: 'Restart the mining process', risk: 'disruptive', input: none },
  suspend: { title: 'Stop mining', risk: 'disruptive', input: none },
  resume: { title: 'Start mining again', risk: 'disruptive', input: none },
  setPowerMode: {
    title: 'Set the power mode',
    risk: 'disruptive',
    input: Type.Object(
      { mode: Type.Union([Type.Literal('low'), Type.Literal('normal'), Type.Literal('high'), Type.Literal('sleep')]) },
      strict,
    ),
  },
  setPowerLimit: {
    title: 'Set the power limit',
    risk: 'disruptive',
    input: Type.Object({ watts: Type.Integer({ minimum: 0, maximum: 99999 }) }, strict),
  },
  setPowerPercent: {
    title: 'Set the power in percent',
    risk: 'disruptive',
    input: Type.Object({ percent: Type.Integer({ minimum: 0, maximum: 200 }) }, strict),
  },
  setHashrateTarget: {
    title: 'Set the hashrate target',
    risk: 'disruptive',
    input: Type.Object({ ths: Type.Number({ exclusiveMinimum: 0, maximum: 1e5 }) }, strict),
  },
  setFrequencyPercent: {
    title: 'Shift the chip frequency',
    risk: 'disruptive',
    input: Type.Object({ percent: Type.Integer({ minimum: -100, maximum: 100 }) }, strict),
  },
  setTuningSpeed: {
    title: 'Set how fast tuning raises the frequency',
    risk: 'safe',
    input: Type.Object({ speed: Type.Integer({ minimum: 0, maximum: 10 }) }, strict),
  },
  setFastBoot: { title: 'Switch fast boot', risk: 'safe', input: Type.Object({ on: Type.Boolean() }, strict) },
  setPools: {
    title: 'Set the pools',
    risk: 'disruptive',
    input: Type.Object({ pools: Type.Array(PoolInputSchema, { minItems: 1, maxItems: 3 }) }, strict),
  },
  setWebPools: {
    title: 'Allow pool changes on the device page',
    risk: 'safe',
    input: Type.Object({ on: Type.Boolean() }, strict),
  },
  setLed: {
    title: 'Blink the LED to find the device',
    risk: 'safe',
    input: Type.Object({ on: Type.Boolean() }, strict),
  },
  setFan: {
    title: 'Set the fans',
    risk: 'disruptive',
    input: Type.Object(
      {
        mode: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('manual')])),
        dutyPct: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
        tempOffsetC: Type.Optional(Type.Integer({ minimum: -30, maximum: 0 })),
        zeroSpeed: Type.Optional(Type.Boolean()),
        coolWhenOff: Type.Optional(Type.Boolean()),
        targetTempC: Type.Optional(Type.Integer({ minimum: 10, maximum: 110 })),
        minFans: Type.Optional(Type.Integer({ minimum: 0, maximum: 16 })),
      },
      { ...strict, minProperties: 1 },
    ),
  },
  setHeatMode: {
    title: 'Set the heat mode',
    risk: 'disruptive',
    input: Type.Object(
      { mode: Type.Union([Type.Literal('heating'), Type.Literal('normal'), Type.Literal('anti-freezing')]) },
      strict,
    ),
  },
  setNetwork: {
    title: 'Set the network',
    risk: 'dangerous',
    input: Type.Union([
      Type.Object(
        {
          dhcp: Type.Literal(true),
          hostname: Type.Optional(Type.String({ maxLength: 63, pattern: '^[A-Za-z0-9-]+$' })),
        },
        strict,
      ),
      Type.Object(
        {
          dhcp: Type.Literal(false),
          ip: Type.String({ format: 'ipv4' }),
          netmask: Type.String({ format: 'ipv4' }),
          gateway: Type.String({ format: 'ipv4' }),
          dns: Type.Array(Type.String({ format: 'ipv4' }), { minItems: 1, maxItems: 3 }),
          hostname: Type.Optional(Type.String({ maxLength: 63, pattern: '^[A-Za-z0-9-]+$' })),
        },
        strict,
      ),
    ]),
  },
  setHostname: {
    title: 'Set the host name',
    risk: 'safe',
    input: Type.Object({ hostname: Type.String({ minLength: 1, maxLength: 63, pattern: '^[A-Za-z0-9-]+$' }) }, strict),
  },
  setTimezone: {
    title: 'Set the time zone',
    risk: 'safe',
    input: Type.Object(
      {
        timezone: Type.String({ minLength: 1, maxLength: 32 }),
        zonename: Type.String({ minLength: 1, maxLength: 64 }),
      },
      strict,
    ),
  },
  setPassword: {
    title: 'Change the device password',
    risk: 'dangerous',
    input: Type.Object(
      {
        password: Type.String({ minLength: 1, maxLength: 64 }),
        account: Type.Optional(Type.String({ maxLength: 32 })),
      },
      strict,
    ),
  },
  setLogServer: {
    title: 'Send the log to a server',
    risk: 'safe',
    input: Type.Object(
      {
        host: Type.String({ minLength: 1, maxLength: 253 }),
        port: Type.Integer({ minimum: 1, maximum: 65535 }),
        proto: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
      },
      strict,
    ),
  },
  getLogs: { title: 'Fetch the logs', risk: 'safe', input: none },
  updateFirmware: {
    title: 'Update the firmware',
    risk: 'dangerous',
    input: Type.Object(
      { path: Type.String({ minLength: 1, maxLength: 4096 }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
      strict,
    ),
  },
  factoryReset: { title: 'Reset to factory settings', risk: 'dangerous', input: none },
  ...containerCommands,
} as const satisfies Record<string, CommandFacts>

export type CommandName = keyof typeof commands
export type CommandInput<N extends CommandName> = Static<(typeof commands)[N]['input']>

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

/** Inputs whose values must never reach a log, a feed, an error or an audit entry. */
const secretKeys = new Set([
  'password',
  'pass',
  'passwd',
  'pwd',
  'old',
  'new',
  'newPwd',
  'curPwd',
  'confirmPwd',
  'token',
  'salt',
  'newsalt',
  'secret',
])

/** A deep copy with every secret replaced; for logs, feeds, audit and the raw replies shown to support. */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isSecret(key) && inner !== '' ? '[removed]' : redact(inner)]),
  )
}

function isSecret(key: string): boolean {
  return secretKeys.has(key) || /passw|secret|token/i.test(key)
}

/** `accepted`: the device took it. `confirmed`: read back from the device. Never "success". */
export const Receipt = Type.Object({
  state: Type.Union([Type.Literal('accepted'), Type.Literal('confirmed')]),
  /** Why it is only accepted, or what the read-back showed. */
  reason: Type.Optional(Type.String()),
  /** What was read back or fetched. */
  result: Type.Optional(Type.Unknown()),
})
export type Receipt = Static<typeof Receipt>

export const resultStates = ['queued', 'running', 'confirmed', 'accepted', 'failed', 'skipped', 'unknown'] as const
export type ResultState = (typeof resultStates)[number]
