import { type Role, roles } from '#keys'
import { SdkError } from '#model'
import type { Caller, InviteRequest } from '#rpc'

const limits = ['libraries', 'devices'] as const

/** Those who ask workers for something. The others see or serve whole sites: what would be limited of them is nothing. */
const askers: readonly Role[] = ['operator', 'gateway']

/** Throws BAD_REQUEST for limits that would not limit what the role does. */
export function checkLimits(request: InviteRequest): void {
  const { role, scope = roles[role].scope } = request
  const limit = limits.find((name) => request[name])
  if (!limit) return
  if (!askers.includes(role))
    throw new SdkError('BAD_REQUEST', `only ${askers.join(' and ')} can be limited to some ${limit}, not ${role}`)
  // Services, scans, members and invites are of no one device.
  if (scope === 'admin')
    throw new SdkError(
      'BAD_REQUEST',
      `who is limited to some ${limit} changes nothing else: say less than the scope admin, --scope control or read`,
    )
}

/** Throws FORBIDDEN for who is limited to some libraries or devices: who is in the fleet concerns any of them. */
export function needUnlimited(caller: Caller): void {
  const limit = limits.find((name) => caller[name])
  if (limit) throw new SdkError('FORBIDDEN', `${caller.id} is limited to some ${limit}, and this concerns any of them`)
}
