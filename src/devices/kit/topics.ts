import type { DeviceError } from '#model'

/** What a finding is about, and what to do: for firmwares that tell what is wrong in words. */
export interface Topic extends Pick<DeviceError, 'component' | 'code' | 'severity'> {
  readonly action: string
}

/** What the words of a message are about, where no code says it; the first that fits is it. */
const topics: readonly (readonly [RegExp, Topic])[] = [
  [
    /overheat|dangerous|too hot|over temperature/i,
    {
      component: 'cooling',
      code: 'overheated',
      severity: 'critical',
      action: 'Check cooling and dust before it is started again.',
    },
  ],
  [
    /fan/i,
    { component: 'fan', code: 'fan', severity: 'high', action: 'Check and replace the fan; the miner may overheat.' },
  ],
  [
    /psu|power supply|voltage|overcurrent/i,
    {
      component: 'psu',
      code: 'psu',
      severity: 'high',
      action: 'Check the power supply, its cables and bus bars; lower the power target.',
    },
  ],
  [
    /resolve|dns|unreachable|network/i,
    { component: 'network', code: 'network', severity: 'low', action: 'Check DNS, gateway and the pool addresses.' },
  ],
  [
    /pool|stratum/i,
    { component: 'pool', code: 'pool', severity: 'low', action: 'Check the pool address and the account.' },
  ],
  [
    /sensor|temperature/i,
    {
      component: 'board',
      code: 'board-sensor',
      severity: 'low',
      action: 'Watch the board; have its sensor repaired if others follow.',
    },
  ],
  [
    /licen[cs]e|restricted/i,
    { component: 'security', code: 'license', severity: 'medium', action: 'Check the licence of the firmware.' },
  ],
  [
    /chip|hash ?board|chain/i,
    {
      component: 'board',
      code: 'board-fault',
      severity: 'medium',
      action: 'Check its cables and power, then restart; have it repaired if it stays.',
    },
  ],
  [
    /tuner|tuning/i,
    {
      component: 'device',
      code: 'tuning-failed',
      severity: 'medium',
      action: 'Set a lower power target and let it tune again.',
    },
  ],
]
const otherTopic: Topic = {
  component: 'device',
  code: 'device-error',
  severity: 'medium',
  action: 'See the log of the miner.',
}

export function topicOf(text: string): Topic {
  return topics.find(([pattern]) => pattern.test(text))?.[1] ?? otherTopic
}
