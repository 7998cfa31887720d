import { type CliCommand, text } from '../command.js'

export const simulate: CliCommand = {
  usage: '',
  summary: 'run simulated devices alone: real sockets, real protocols, virtual hardware',
  options: [
    ['--miners <n>', 'how many (default 24)'],
    ['--mix <shares>', 'e.g. whatsminer:0.6,antminer:0.4'],
    [
      '--plant <names>',
      'containers, meters and sensors beside them: wonderint, kehua, hydro, immersion, bitdeer, meter, seneca, climate, or all',
    ],
    ['--broker <host:port>', 'the broker that a Bitdeer container connects to (default 127.0.0.1:10883)'],
    [
      '--address <address>',
      'first address; each device gets its own on the standard ports, e.g. 127.1.0.1 (default: one address, free ports)',
    ],
    ['--faults <share>', 'so large a share breaks and heals over time, e.g. 0.02'],
    ['--seed <n>', 'the same seed gives the same site'],
    ['--speed <factor>', 'how much faster their time runs'],
  ],
  async run({ options, out, signal }) {
    const { runSimulation } = await import('#sim')
    const number = (name: string) => (text(options, name) === undefined ? undefined : Number(text(options, name)))
    await runSimulation(
      {
        miners: number('miners'),
        mix: text(options, 'mix'),
        plant: text(options, 'plant'),
        broker: text(options, 'broker'),
        address: text(options, 'address'),
        faults: number('faults'),
        seed: number('seed'),
        speed: number('speed'),
        signal,
      },
      out.line,
    )
  },
}
