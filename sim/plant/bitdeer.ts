import { type Clock, systemClock } from '#model'
import { PlantFaults } from './faults.js'
import { CoolingLoop } from './loop.js'
import { MqttClient } from './mqtt-client.js'

export interface BitdeerOptions {
  readonly name: string
  /** Of the broker that it connects to. */
  readonly host?: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly clock?: Clock
  /** Data come so often, ms; the real one does it every 5 s. */
  readonly everyMs?: number
  /** And it connects again after this, ms. */
  readonly retryMs?: number
}

const pdus = 8
const socketsOfPdu = 14
const perSocketKw = 5.5
const fans = 8
const commands = ['PumpOperate', 'PDUOperate', 'CoolerOperate', 'ParameterSet', 'RunningOperate', 'TacticsSet']
const flag = (value: boolean) => (value ? '1' : '0')
const text = (value: number) => String(Math.round(value * 100) / 100)

/** A Bitdeer D40: connects to the operator's broker, tells its state and does what it is told, without a word. */
export class BitdeerContainer {
  readonly faults = new PlantFaults()
  readonly loop: CoolingLoop
  readonly #options: BitdeerOptions
  readonly #clock: Clock
  #client: MqttClient | undefined
  #stop: () => void = () => {}
  #closed = false
  /** Why it is not connected. */
  refused = ''
  connected = false
  running = true
  readonly pumps: Record<string, boolean> = { OilPump1: true, OilPump2: true, WaterPump1: true, WaterPump2: true }
  readonly coolers = [new Array<boolean>(fans).fill(true), new Array<boolean>(fans).fill(true)]
  readonly sockets = Array.from({ length: pdus }, () => new Array<boolean>(socketsOfPdu).fill(true))
  readonly alarms = new Set<string>()
  parameters: Record<string, string> = {
    CoolOilAlarmTemp: '48',
    HotOilAlarmTemp: '60',
    CoolWaterAlarmTemp: '45',
    HotWaterAlarmTemp: '55',
    CoolOilSettingTemp: '38',
    ExhausFansRunTemp: '35',
    Tank1Enable: '1',
    Tank2Enable: '1',
    AirExhaustEnable: '1',
  }
  tactics: unknown = {
    RunTactics: {
      TacticsType: '0',
      ElectricityPrice: { RunPrice: '0.05', CurrentPrice: '0.04' },
      CoinPrice: { RunPrice: '30000', CurrentPrice: '60000' },
    },
    StopTactics: {
      TacticsType: '0',
      ElectricityPrice: { StopPrice: '0.09', CurrentPrice: '0.04' },
      CoinPrice: { StopPrice: '20000', CurrentPrice: '60000' },
    },
  }

  constructor(options: BitdeerOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.loop = new CoolingLoop(this.#clock, { cooling: true, heatW: 0, setpointC: 38, outdoorC: 18 })
    this.faults.onChange = () => {
      if (this.faults.has('dead')) this.#client?.close()
      else if (!this.#client || !this.connected) this.#connect()
    }
    this.#load()
    this.#connect()
  }

  get powerKw(): number {
    return this.sockets.flat().filter(Boolean).length * perSocketKw + 20
  }

  close(): void {
    this.#closed = true
    this.#stop()
    this.#client?.close()
  }

  #connect(): void {
    if (this.#closed || this.faults.has('dead')) return
    this.#stop()
    this.#client?.close()
    const { name, host = '127.0.0.1', port, username = name, password } = this.#options
    this.#client = new MqttClient({
      host,
      port,
      clientId: name,
      username,
      ...(password === undefined ? {} : { password }),
      topics: commands.map((command) => name + command),
      onReady: () => {
        this.connected = true
        this.refused = ''
        this.#tell()
      },
      onMessage: (topic, payload) => this.#obey(topic.slice(name.length), payload),
      onEnd: (why) => {
        this.connected = false
        this.refused = why
        this.#stop = this.#clock.after(this.#options.retryMs ?? 1000, () => this.#connect())
      },
    })
  }

  #load(): void {
    const pumping = (this.pumps.OilPump1 || this.pumps.OilPump2) && !this.faults.has('pumpFailed')
    const cooling = Boolean(pumping && this.running && this.coolers.flat().some(Boolean))
    this.loop.change({ cooling, heatW: this.powerKw * 1000, setpointC: Number(this.parameters.CoolOilSettingTemp) })
  }

  #tell(): void {
    this.#stop()
    if (!this.faults.has('silent')) for (const [topic, data] of Object.entries(this.#data())) this.#publish(topic, data)
    this.#stop = this.#clock.after(this.#options.everyMs ?? 5000, () => this.#tell())
  }

  #publish(topic: string, data: unknown): void {
    const payload = JSON.stringify(data)
    const half = this.faults.has('half')
    this.#client?.publish(
      this.#options.name + topic,
      this.faults.has('garbage') ? 'not json at all' : half ? payload.slice(0, payload.length >> 1) : payload,
    )
  }

  #data(): Record<string, unknown> {
    this.#load()
    const TimeStamp = '2026-01-01 00:00:00'
    if (this.faults.has('pumpFailed')) this.alarms.add('OilPump1 error')
    const { loop, powerKw } = this
    const amperes = (powerKw * 1000) / 3 / 231
    return {
      RunningInfo: {
        TimeStamp,
        RunningState: flag(this.running),
        AlarmState: flag(this.alarms.size > 0),
        AlarmInfo: [...this.alarms],
        DeviceInfo: {
          ...Object.fromEntries(Object.entries(this.pumps).map(([name, on]) => [name, flag(on)])),
          DryCooler: this.coolers.map((each, index) => ({
            CoolerIndex: String(index),
            MainContactor: flag(each.some(Boolean)),
            FansStatus: each.map(flag),
          })),
        },
      },
      PDUData: {
        TimeStamp,
        SerialPortStatus: '1',
        PDUData: this.sockets.map((each, index) => ({
          PDUIndex: String(index),
          ReadStatus: '1',
          SocketStatus: each.map(flag),
          PowerData: each.map((on) => text(on ? perSocketKw : 0)),
          CurrentData: each.map((on) => text(on ? 8.1 : 0)),
        })),
      },
      MainData: {
        TimeStamp,
        PowerData: {
          TotalPower: text(powerKw),
          ...Object.fromEntries(
            ['A', 'B', 'C'].flatMap((phase) => [
              [`Power${phase}`, text(powerKw / 3)],
              [`Voltage${phase}`, '231.2'],
              [`Current${phase}`, text(amperes)],
            ]),
          ),
        },
        TemperatureData: {
          ContainerTemperature: '26.4',
          ContainerHumidity: '41',
          ...Object.fromEntries(
            ['1', '2'].flatMap((tank) => [
              [`Tank${tank}OilH`, text(loop.returnC)],
              [`Tank${tank}OilL`, text(loop.supplyC)],
              [`Tank${tank}WaterH`, text(loop.returnC - 4)],
              [`Tank${tank}WaterL`, text(loop.supplyC - 6)],
            ]),
          ),
        },
        UPSData: {
          InputVoltage: '230',
          InputFrequency: '50',
          OutputVoltage: '229',
          OutputFrequency: '50',
          Temperature: '28',
          BatteryStatus: '100',
        },
      },
      TacticsData: { TimeStamp, Tactics: this.tactics },
      ParameterData: { TimeStamp, RunningParameter: this.parameters },
    }
  }

  /** Unknown messages and wrong ones are ignored, as the real one does. */
  #obey(command: string, payload: Buffer): void {
    if (this.faults.has('ignoredWrite') || this.faults.has('refusedWrite')) return
    // biome-ignore lint/suspicious/noExplicitAny: whatever was sent to it
    const order = JSON.parse(payload.toString()) as any
    const on = order.Operate === '1'
    const of = (index: unknown, count: number) => (Number(index) === -1 ? [...Array(count).keys()] : [Number(index)])
    if (command === 'PumpOperate') this.pumps[`${order.Type}${order.Index}`] = on
    if (command === 'PDUOperate')
      for (const pdu of of(order.PDUIndex, pdus))
        for (const socket of of(order.SocketIndex, socketsOfPdu)) this.sockets[pdu]![socket] = on
    if (command === 'CoolerOperate')
      for (const fan of of(order.FansIndex, fans)) this.coolers[Number(order.CoolerIndex)]![fan] = on
    if (command === 'ParameterSet') this.parameters = { ...order.RunningParameter }
    if (command === 'TacticsSet') this.tactics = order.Tactics
    if (command === 'RunningOperate') {
      if (order.Operate === 'AlarmReset') this.alarms.clear()
      else this.running = order.Operate === 'AutoRun'
    }
    this.#tell()
  }
}
