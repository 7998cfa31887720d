import { execFileSync } from 'node:child_process'

/**
 * A small internet of network namespaces: public addresses on a bridge in the middle, and sites behind NATs of different kinds. Needs root,
 * `ip` and `nft`; everything it makes is gone after `close`, also when the process ends by an error.
 */
export interface Lab {
  /** The namespace of the middle, with these addresses. */
  readonly middle: string
  readonly addresses: readonly string[]
  /** A machine with a public address of its own; answers its namespace. */
  open(name: string): string
  /** A machine behind one or more NATs. */
  site(name: string, nats: readonly NatKind[]): Site
  close(): void
}

/** `endpoint-independent`: the same port for everyone; `random`: another port for each. Both let in only whom one has written to. */
export type NatKind = 'endpoint-independent' | 'random'

export interface Site {
  readonly namespace: string
  /** Cuts or mends the line between its outermost NAT and the world. */
  cut(): void
  mend(): void
  /** New addresses, as from another provider and another DHCP server: of the outermost NAT, and of the machine itself. */
  move(publicAddress: string, lastByte: number): void
}

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
const inside = (namespace: string, command: string, args: readonly string[], input?: string) =>
  execFileSync('ip', ['netns', 'exec', namespace, command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
  })

/** Why there can be no lab here; undefined: there can. */
export function whyNoLab(): string | undefined {
  const name = `msdk${process.pid}probe`
  try {
    ip('netns', 'add', name)
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    return code === 'ENOENT'
      ? 'there is no ip command (iproute2)'
      : `namespaces are not permitted: ${stderr ?? error}`.trim()
  }
  try {
    ip('-n', name, 'link', 'add', 'name', 'lan', 'type', 'veth', 'peer', 'name', 'wan')
    inside(name, 'nft', ['-f', '-'], natRules('random', 'lan', 'wan'))
    return undefined
  } catch (error) {
    return `no NAT can be made in a namespace: ${(error as { stderr?: Buffer }).stderr ?? error}`.trim()
  } finally {
    ip('netns', 'del', name)
  }
}

function natRules(kind: NatKind, lan: string, wan: string): string {
  return `
table ip lab {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "${lan}" oifname "${wan}" accept
    iifname "${wan}" oifname "${lan}" ct state established,related accept
  }
  chain input { type filter hook input priority 0; iifname "${wan}" meta l4proto udp drop; }
  chain out {
    type nat hook postrouting priority 100;
    oifname "${wan}" masquerade${kind === 'random' ? ' fully-random' : ''}
  }
}`
}

export function openLab(): Lab {
  const prefix = `msdk${process.pid}`
  const namespaces: string[] = []
  let links = 0
  let sites = 0
  let worlds = 0

  const namespace = (name: string) => {
    const full = `${prefix}${name}`
    ip('netns', 'add', full)
    namespaces.push(full)
    ip('-n', full, 'link', 'set', 'lo', 'up')
    return full
  }
  const close = () => {
    process.off('exit', close)
    for (const name of namespaces.splice(0)) {
      try {
        ip('netns', 'del', name)
      } catch {}
    }
  }
  process.on('exit', close)

  /** A line between two namespaces; the ends have these names. */
  const line = (from: string, fromName: string, to: string, toName: string) => {
    const [a, b] = [`${prefix}a${links}`, `${prefix}b${links++}`].map((name) => name.slice(-15)) as [string, string]
    ip('link', 'add', a, 'netns', from, 'type', 'veth', 'peer', 'name', b, 'netns', to)
    ip('-n', from, 'link', 'set', a, 'name', fromName)
    ip('-n', to, 'link', 'set', b, 'name', toName)
    ip('-n', from, 'link', 'set', fromName, 'up')
    ip('-n', to, 'link', 'set', toName, 'up')
  }

  try {
    const middle = namespace('mid')
    ip('-n', middle, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', middle, 'link', 'set', 'br0', 'up')
    const addresses = Array.from({ length: 6 }, (_, index) => `5.5.5.${index + 1}`)
    for (const address of addresses) ip('-n', middle, 'addr', 'add', `${address}/24`, 'dev', 'br0')

    const nat = (name: string, kind: NatKind): string => {
      const router = namespace(name)
      inside(router, 'sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
      inside(router, 'nft', ['-f', '-'], natRules(kind, 'lan', 'wan'))
      return router
    }

    /** Connects an interface with the world; answers its public address. */
    const toWorld = (place: string, device: string): string => {
      const number = ++worlds
      line(middle, `m${number}`, place, device)
      ip('-n', middle, 'link', 'set', `m${number}`, 'master', 'br0')
      const address = `5.5.5.${10 + number}`
      ip('-n', place, 'addr', 'add', `${address}/24`, 'dev', device)
      return address
    }
    const open: Lab['open'] = (name) => {
      const machine = namespace(name)
      toWorld(machine, 'eth0')
      return machine
    }

    const site: Lab['site'] = (name, nats) => {
      const number = ++sites
      let outside = middle
      let outerRouter = ''
      let gateway = ''
      let world = ''
      nats.forEach((kind, depth) => {
        const router = nat(`${name}${depth}`, kind)
        if (depth === 0) {
          world = toWorld(router, 'wan')
          outerRouter = router
        } else {
          line(outside, 'lan', router, 'wan')
          ip('-n', router, 'addr', 'add', `${gateway.replace(/\d+$/, '2')}/24`, 'dev', 'wan')
          ip('-n', router, 'route', 'add', 'default', 'via', gateway)
        }
        gateway = depth === nats.length - 1 ? `192.168.${number}.1` : `100.64.${number}.1`
        outside = router
      })
      const machine = namespace(name)
      line(outside, 'lan', machine, 'eth0')
      // The inner side of every router, the innermost last.
      nats.forEach((_, depth) => {
        const net = depth === nats.length - 1 ? `192.168.${number}` : `100.64.${number}`
        ip('-n', `${prefix}${name}${depth}`, 'addr', 'add', `${net}.1/24`, 'dev', 'lan')
      })
      const net = `192.168.${number}`
      let own = `${net}.2`
      ip('-n', machine, 'addr', 'add', `${own}/24`, 'dev', 'eth0')
      ip('-n', machine, 'route', 'add', 'default', 'via', `${net}.1`)
      return {
        namespace: machine,
        cut: () => void ip('-n', outerRouter, 'link', 'set', 'wan', 'down'),
        mend: () => void ip('-n', outerRouter, 'link', 'set', 'wan', 'up'),
        move(publicAddress, lastByte) {
          ip('-n', outerRouter, 'addr', 'del', `${world}/24`, 'dev', 'wan')
          world = publicAddress
          ip('-n', outerRouter, 'addr', 'add', `${world}/24`, 'dev', 'wan')
          ip('-n', machine, 'addr', 'del', `${own}/24`, 'dev', 'eth0')
          own = `${net}.${lastByte}`
          ip('-n', machine, 'addr', 'add', `${own}/24`, 'dev', 'eth0')
          ip('-n', machine, 'route', 'replace', 'default', 'via', `${net}.1`)
        },
      }
    }
    return { middle, addresses, open, site, close }
  } catch (error) {
    close()
    throw error
  }
}
