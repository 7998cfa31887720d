import type { DeviceError } from '#model'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { topicOf } from '../kit/topics.js'
import { count, maxParts, words } from '../kit/values.js'
import type { State } from './vnish-replies.js'

/** From so large a share of bad or weak chips on a board is in danger. */
const manyChips = 0.03
const manyWeak = 0.1

/** What VNish says to be wrong: the state of the miner, of its boards, of their chips, of its pools, and settings that wait. */
export function vnishErrors(summary: Fields, status: Fields | undefined, state: State | undefined): DeviceError[] {
  return [
    ...stateErrors(state),
    ...rows(summary.chains)
      .slice(0, maxParts)
      .flatMap((chain, at) => chainErrors(chain, at, state)),
    ...poolErrors(summary),
    ...waiting(status),
  ]
}

export function stateErrors(state: State | undefined): DeviceError[] {
  if (state === undefined) return []
  const errors: DeviceError[] = []
  if (state.name === 'failure' || state.failure !== undefined) {
    const said = state.description ?? 'it does not say why'
    const topic = topicOf(said)
    errors.push({
      code: topic.code,
      ...(state.failure === undefined ? {} : { vendorCode: state.failure }),
      severity: state.name === 'failure' ? 'critical' : 'high',
      component: topic.component,
      message: `The firmware has stopped the miner: ${said}${state.failure ? ` (code ${state.failure})` : ''}.`,
      action: `${topic.action} Then restart mining; its log says more.`,
    })
  }
  if (state.throttledPct !== undefined && state.throttledPct < 100)
    errors.push({
      code: 'throttled',
      severity: 'info',
      component: 'device',
      message: `It is throttled to ${state.throttledPct} %.`,
      action: 'Set the power to 100 % to end it.',
    })
  return errors
}

/** One board's own words. */
export function chainFault(slot: number, text: string): DeviceError {
  const topic = topicOf(text)
  return {
    code: topic.component === 'device' ? 'board-fault' : topic.code,
    severity: 'high',
    component: topic.component === 'chip' ? 'chip' : 'board',
    index: slot,
    message: `Board ${slot}: ${text}`,
    action: 'Check its cables and power, then restart mining; have it repaired if it stays.',
  }
}

function chainErrors(chain: Fields, at: number, state: State | undefined): DeviceError[] {
  const id = num(chain.id)
  const slot = id !== undefined && Number.isInteger(id) && id >= 1 && id <= maxParts ? id - 1 : at
  const { state: name, description } = fields(chain.status)
  const said = words(description)
  const errors: DeviceError[] = []
  if (said !== undefined && /fail|error|lost|disconnect/i.test(str(name) ?? '')) errors.push(chainFault(slot, said))
  const grades = fields(chain.chip_statuses)
  const [red = 0, orange = 0, grey = 0] = [grades.red, grades.orange, grades.grey].map(count)
  const all = red + orange + grey
  if (red > 0)
    errors.push({
      code: 'chips-bad',
      severity: red > all * manyChips ? 'medium' : 'low',
      component: 'chip',
      index: slot,
      message: `${red} of ${all} chips of board ${slot} are graded red.`,
      cause: 'They bring much less than their frequency should.',
      action: 'Watch the board; set a lower preset, have it repaired when more follow.',
    })
  // While it tunes every chip is weak for a while.
  if (orange > all * manyWeak && state?.name === 'mining')
    errors.push({
      code: 'chips-weak',
      severity: 'low',
      component: 'chip',
      index: slot,
      message: `${orange} of ${all} chips of board ${slot} are graded orange.`,
      cause: 'They bring less than their frequency should.',
      action: 'Look at its temperatures; set a lower preset or let it tune again.',
    })
  return errors
}

function poolErrors(summary: Fields): DeviceError[] {
  return rows(summary.pools)
    .filter(
      ({ status, pool_type }) => /^rejecting$/i.test(str(status) ?? '') && /^userpool$/i.test(str(pool_type) ?? ''),
    )
    .slice(0, maxParts)
    .map((pool) => ({
      code: 'pool-rejecting',
      severity: 'medium' as const,
      component: 'pool' as const,
      index: count(pool.id) ?? null,
      message: `The pool ${words(pool.url, 100) ?? ''} rejects the work.`,
      cause: 'Wrong account, or hardware whose work is wrong.',
      action: 'Check the account at the pool; look at the hardware errors of the boards.',
    }))
}

/** Settings that count only after a restart. */
function waiting(status: Fields | undefined): DeviceError[] {
  const wanted = bool(status?.reboot_required)
    ? (['reboot', 'a reboot', 'Reboot it.'] as const)
    : bool(status?.restart_required)
      ? (['restart', 'a restart of mining', 'Restart mining.'] as const)
      : undefined
  if (!wanted) return []
  const [name, what, action] = wanted
  return [
    {
      code: `${name}-required`,
      severity: 'low',
      component: 'device',
      message: `Changed settings wait for ${what}.`,
      action,
    },
  ]
}
