import { type CommandInput, type Pdu, SdkError } from '#model'

type Wish = CommandInput<'switchSocket'>['sockets'][number]

/** One socket and what it shall be; of several wishes for one the last counts. */
export interface Wanted {
  readonly pdu: string
  readonly socket: string
  readonly on: boolean
}

/** Every single socket that the wishes name. BAD_REQUEST if the container has no such PDU or socket, DEVICE_UNREACHABLE if a PDU is away. */
export function chosenSockets(wishes: readonly Wish[], pdus: readonly Pdu[]): Wanted[] {
  const wanted = new Map<string, Wanted>()
  for (const { pdu, socket, on } of wishes) {
    const chosen = pdus.filter(({ id }) => pdu === undefined || id === pdu)
    if (chosen.length === 0) throw new SdkError('BAD_REQUEST', `there is no PDU ${pdu}; there are ${namesOf(pdus)}`)
    for (const each of chosen) {
      if (each.online === false) {
        if (pdu === undefined) continue
        throw new SdkError('DEVICE_UNREACHABLE', `PDU ${pdu} does not answer`)
      }
      const sockets = each.sockets.filter(({ id }) => socket === undefined || id === socket)
      if (sockets.length === 0)
        throw new SdkError('BAD_REQUEST', `PDU ${each.id} has no socket ${socket}; it has ${namesOf(each.sockets)}`)
      for (const { id } of sockets) wanted.set(`${each.id}/${id}`, { pdu: each.id, socket: id, on })
    }
  }
  if (wanted.size === 0) throw new SdkError('DEVICE_UNREACHABLE', 'none of its PDUs answers')
  return [...wanted.values()]
}

/** Whether the sockets are as wished. */
export function socketsShow(wishes: readonly Wish[], pdus: readonly Pdu[]): boolean {
  try {
    return chosenSockets(wishes, pdus).every(({ pdu, socket, on }) => {
      const sockets = pdus.find(({ id }) => id === pdu)?.sockets
      return sockets?.find(({ id }) => id === socket)?.enabled === on
    })
  } catch {
    return false
  }
}

function namesOf(parts: readonly { readonly id: string }[]): string {
  return parts.map(({ id }) => id).join(', ') || 'none'
}
