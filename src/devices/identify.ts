import { type Clock, type SdkError, toSdkError } from '#model'
import type { Device, Evidence, Match, Probe } from './define.js'
import { type Io, portOf } from './io.js'

/** From this confidence on a device may be adopted. */
export const enough = 0.5
/** Once a single candidate is as sure as this, only its own questions are still asked. */
const sure = 0.9

export interface Identification {
  readonly device?: Device
  readonly match?: Match
  /** The evidence in words, for the person who wonders. */
  readonly seen: readonly string[]
  /** Why nothing answered, if nothing did. */
  readonly error?: SdkError
}

/** The next port is asked once the one before is through, or after this, ms: a port that is silent holds up nobody. */
const headStartMs = 200

/**
 * Tells what a device is: every distinct probe of the candidates that is worth it is run once (one at a time on each port, the ports one
 * soon after the other), each candidate weighs the same evidence. The highest confidence wins; two that claim it alike make it unknown,
 * with what was seen. Never throws.
 */
export async function identify(
  candidates: readonly Device[],
  io: Io,
  options: { openPorts?: ReadonlySet<number> } = {},
): Promise<Identification> {
  const probes = new Set(candidates.flatMap((device) => device.identify.probes))
  const answers = new Map<Probe, unknown>()
  const errors: SdkError[] = []
  const seen: string[] = []
  const ports = portsOf(probes, io).filter(([port]) => options.openPorts?.has(port) ?? true)
  const evidence: Evidence = { answer: (probe) => answers.get(probe) }
  /** Of the answers so far. */
  let claims: readonly Claim[] = []
  const isWorthIt = (probe: Probe) => {
    const [best, ...rivals] = claims.filter(({ match }) => match.confidence >= sure)
    const isSettled = best !== undefined && rivals.length === 0 && !best.device.identify.probes.includes(probe)
    return !isSettled && (probe.when?.(evidence) ?? true)
  }
  const askPort = async ([port, group]: PortProbes) => {
    for (const probe of group) {
      if (!isWorthIt(probe)) continue
      try {
        const answer = await probe.run(io)
        answers.set(probe, answer)
        seen.push(`${probe.name} on port ${port}: ${excerpt(answer)}`)
        claims = claimsOf(candidates, evidence)
      } catch (error) {
        const known = toSdkError(error, 'DEVICE_UNREACHABLE')
        errors.push(known)
        seen.push(`${probe.name} on port ${port}: ${known.message}`)
        // Nobody listens there: the other questions to the same port need not be asked.
        if (known.code === 'DEVICE_UNREACHABLE') break
      }
    }
  }
  const asking: Promise<void>[] = []
  for (const [at, group] of ports.entries()) {
    const asked = askPort(group)
    asking.push(asked)
    if (at < ports.length - 1) await orAfter(asked, headStartMs, io.clock)
  }
  await Promise.all(asking)
  const [best, next] = claims
  if (!best) return { seen, ...(answers.size === 0 && errors[0] ? { error: errors[0] } : {}) }
  if (next && next.match.confidence === best.match.confidence) {
    return { seen: [...seen, `could be ${claims.map(({ device }) => `${device.make} ${device.family}`).join(' or ')}`] }
  }
  return { ...best, seen: [...best.match.why, ...seen] }
}

interface Claim {
  readonly device: Device
  readonly match: Match
}

/** Who claims the device on this evidence, the surest first. */
function claimsOf(candidates: readonly Device[], evidence: Evidence): Claim[] {
  return candidates
    .map((device) => ({ device, match: device.identify.match(evidence) }))
    .filter((claim): claim is Claim => claim.match !== undefined && claim.match.confidence > enough)
    .sort((a, b) => b.match.confidence - a.match.confidence)
}

type PortProbes = readonly [port: number, probes: readonly Probe[]]

/** The probes of each port; first the ports where an answer settles it. */
function portsOf(probes: Iterable<Probe>, io: Io): PortProbes[] {
  const groups = new Map<number, Probe[]>()
  for (const probe of probes) {
    const port = portOf(io, probe.port)
    const group = groups.get(port)
    if (group) group.push(probe)
    else groups.set(port, [probe])
  }
  const isProof = ([, group]: PortProbes) => Number(group.some(({ proof }) => proof))
  return [...groups].sort((a, b) => isProof(b) - isProof(a))
}

function orAfter(done: Promise<void>, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(ms, resolve)
    done.then(() => {
      stop()
      resolve()
    })
  })
}

const excerptLength = 120

function excerpt(answer: unknown): string {
  const text = typeof answer === 'string' ? answer : (JSON.stringify(answer) ?? String(answer))
  return text.length > excerptLength ? `${text.slice(0, excerptLength)}...` : text
}
