import type { CliCommand } from '../command.js'

export const version: CliCommand = {
  usage: '',
  summary: 'versions of MiningSDK and Node',
  async run({ out }) {
    const { version } = await import('#node')
    const facts = { miningsdk: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` }
    out.value(facts, `miningsdk ${facts.miningsdk} (node ${facts.node}, ${facts.platform})`)
  },
}
