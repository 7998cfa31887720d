import test, { type Assertions } from 'brittle'
import { type Device, miners, type Observation, observe } from '#devices'
import { BtminerDevice, fixture, hasFixture, ioTo, V3Device } from './whatsminer-device.js'

const whatsminer = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock') as Device
const whatsminerV3 = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock-v3') as Device

type Fields = Record<string, unknown>

/** The capture behind a real socket, each reply under its command; `devs` is what `edevs` answers. */
function replies(folder: string, prefix = ''): Record<string, unknown> {
  const names = [
    'summary',
    'edevs',
    'devs',
    'pools',
    'devdetails',
    'status',
    'get_miner_info',
    'get_version',
    'get_psu',
  ]
  const found = [...names, 'get_error_code'].filter((name) => hasFixture(folder, `${prefix}${name}.json`))
  const known: Fields = Object.fromEntries(found.map((name) => [name, fixture(folder, `${prefix}${name}.json`)]))
  return { ...(known.devs ? { edevs: known.devs } : {}), ...known }
}

async function replay(
  t: Assertions,
  answers: Record<string, unknown>,
): Promise<Observation & { device: BtminerDevice }> {
  const device = await new BtminerDevice(answers).start(t)
  const seen = await observe(whatsminer, ioTo({ rpc: device.port }, [{ username: 'admin', password: 'admin' }]))
  return { ...seen, device }
}

test('M20S with API v1: the capture is read right', async (t) => {
  const expected = fixture('whatsminer-v1/m20s_v10', 'expected.json') as Fields
  const { telemetry, missing } = await replay(t, replies('whatsminer-v1/m20s_v10'))
  t.is(telemetry.mac, expected.mac)
  t.is(telemetry.apiVersion, expected.api_version)
  t.is(telemetry.firmwareVersion, expected.fw_version)
  t.is(telemetry.controlBoard, expected.control_board)
  t.is(telemetry.hashrateThs, expected.hashrate_ths)
  t.is(telemetry.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(telemetry.powerW, expected.power_w)
  t.is(telemetry.powerLimitW, (expected.tuning_target as { value: { watts: number } }).value.watts)
  t.is(telemetry.miningUptimeS, expected.uptime_s)
  t.is(telemetry.uptimeS, 10792)
  t.is(telemetry.asleep, false)
  t.is(telemetry.fans?.length, expected.fans_count)
  t.is(telemetry.pools?.length, expected.pool_group_0_pools)
  t.alike(telemetry.errors, [], 'no errors in the summary are no errors')
  t.is(telemetry.boards?.length, 3)
  t.alike(
    telemetry.boards?.map(({ slot, serial, chips, boardTempC, chipTempMaxC, frequencyMhz }) => [
      slot,
      serial,
      chips,
      boardTempC,
      chipTempMaxC,
      frequencyMhz,
    ]),
    [
      [0, 'H5M14S69129A17K10095', 105, 70, 90, 650],
      [1, 'H5M14S69129A17K10058', 105, 69.5, 90.11, 652],
      [2, 'H5M14S69129A17K10002', 105, 71.5, 92.5, 643],
    ],
  )
  t.is(telemetry.psu?.model, 'P21-12-3600-E')
  t.is(telemetry.psuFanRpm, 9060)
  t.is(telemetry.psuOutputVoltageV, 11.8)
  t.is(telemetry.acceptedShares, 2338)
  t.is(telemetry.hwErrors, 69)
  t.is(telemetry.tuning?.mode, 'normal')
  t.is(telemetry.ambientTempC, undefined, 'this firmware does not report it')
  t.is(missing.ambientTempC, undefined)
})

test('M20S with API v1: its errors come from the summary, in words', async (t) => {
  const answers = {
    ...replies('whatsminer-v1/m20s_v10'),
    summary: fixture('whatsminer-v1/m20s_v10', 'summary_with_errors.json'),
  }
  const { telemetry } = await replay(t, answers)
  t.alike(
    telemetry.errors?.map(({ vendorCode, message, component, index }) => [vendorCode, message, component, index]),
    [
      ['110', 'Intake fan speed error.', 'fan', 0],
      ['600', 'Environment temperature is too high.', 'env', undefined],
    ],
  )
  t.ok(telemetry.errors?.every(({ action }) => action))
})

test('M50S with API v2: the capture is read right', async (t) => {
  const expected = fixture('whatsminer-v2/m50s_vh50', 'expected.json') as Fields
  const { telemetry } = await replay(t, replies('whatsminer-v2/m50s_vh50'))
  t.is(telemetry.mac, expected.mac)
  t.is(telemetry.apiVersion, expected.api_version)
  t.is(telemetry.firmwareVersion, expected.fw_version)
  t.is(telemetry.hostname, expected.hostname)
  t.is(telemetry.hashrateThs, expected.hashrate_ths)
  t.is(telemetry.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(telemetry.powerW, expected.power_w)
  t.is(telemetry.powerLimitW, (expected.tuning_target as { value: { watts: number } }).value.watts)
  t.is(telemetry.miningUptimeS, expected.uptime_s)
  t.is(telemetry.asleep, false)
  t.is(telemetry.fans?.length, expected.fans_count)
  t.is(telemetry.pools?.length, expected.pool_group_0_pools)
  t.is(telemetry.led, 'off')
  t.is(telemetry.ambientTempC, 28.5)
  t.is(telemetry.chipTempMaxC, 81)
  t.alike(
    telemetry.fans?.map(({ rpm }) => rpm),
    [5400, 5280],
  )
})

test('M50S with API v2: its errors come from get_error_code, in words', async (t) => {
  const errors = fixture('whatsminer-v2/m50s_vh50', 'get_error_code_with_errors.json')
  const { telemetry } = await replay(t, { ...replies('whatsminer-v2/m50s_vh50'), get_error_code: errors })
  t.alike(
    telemetry.errors?.map(({ vendorCode, message, component }) => [vendorCode, message, component]),
    [
      ['218', 'Power input voltage is lower than 230V for high power mode.', 'psu'],
      ['110', 'Intake fan speed error.', 'fan'],
    ],
  )
})

test('M60S: usable data under STATUS S win over odd codes, and HS RT in TH/s is told by the mean', async (t) => {
  const folder = 'whatsminer-v2/m60s_vk40_fleet'
  const expected = fixture(folder, 'expected.json') as Fields
  const { telemetry, model, missing } = await replay(t, replies(folder, 'rpc_'))
  t.is(telemetry.model, 'M60S')
  t.is(telemetry.variant, 'VK40')
  t.is(model?.chips, 225)
  t.is(telemetry.hashrateThs, expected.hashrate_ths)
  t.is(telemetry.hashrateAvgThs, expected.hashrate_avg_ths)
  t.is(telemetry.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(telemetry.powerW, expected.power_w)
  t.is(telemetry.powerLimitW, expected.power_limit_w)
  t.alike(
    telemetry.fans?.map(({ rpm }) => rpm),
    expected.fan_rpm,
  )
  t.alike(
    { min: telemetry.chipTempMinC, max: telemetry.chipTempMaxC, avg: telemetry.chipTempAvgC },
    expected.chip_temp_c,
  )
  t.is(telemetry.tuning?.mode, 'normal')
  t.is(telemetry.uptimeS, expected.uptime_s)
  t.is(telemetry.psuInputVoltageV, 220.5)
  t.is(telemetry.psuInputCurrentA, 15.2)
  t.is(telemetry.psuTempC, 45)
  t.is(telemetry.psu?.serial, 'PSU01234567890')
  t.is(telemetry.pools?.length, 2, 'an empty place is no pool')
  t.is(telemetry.pools?.[0]?.lastShareAt, 1741499990000)
  t.is(telemetry.asleep, undefined, 'its status does not say it')
  t.alike(missing, {})
})

test("M30S+ with the vendor's own samples is read right, the invalid error list too", async (t) => {
  const folder = 'whatsminer-v2/m30sp_ve40_apidoc205'
  const expected = fixture(folder, 'expected.json') as Fields & { psu: Record<string, number> }
  const answers = { ...replies(folder), get_error_code: (_: unknown) => fixture(folder, 'get_error_code.raw.txt') }
  const { telemetry, model } = await replay(t, answers)
  t.is(`${telemetry.model}${telemetry.variant}`, expected.model)
  t.is(telemetry.hashrateThs?.toFixed(3), String(expected.hashrate_ths))
  t.is(telemetry.hashrateAvgThs?.toFixed(3), String(expected.hashrate_avg_ths))
  t.is(telemetry.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(telemetry.powerW, expected.power_w)
  t.is(telemetry.efficiencyJTh, expected.efficiency_jth)
  t.is(telemetry.powerLimitW, expected.power_limit_w)
  t.is(telemetry.tuning?.mode, expected.power_mode)
  t.is(telemetry.ambientTempC, expected.ambient_c)
  t.is(telemetry.chipTempMaxC, expected.chip_temp_max_c)
  t.alike(
    telemetry.fans?.map(({ rpm }) => rpm),
    expected.fans_rpm,
  )
  t.is(telemetry.boards?.length, expected.boards)
  t.is(model?.chips, expected.chips_per_board)
  t.ok(
    telemetry.boards?.every(
      ({ chips, expectedChips, tuned }) => chips === 156 && expectedChips === 156 && tuned === false,
    ),
  )
  t.is(telemetry.tuningNow, true, 'its boards still raise their frequency')
  t.is(telemetry.psuInputVoltageV, expected.psu.vin_v)
  t.is(telemetry.psuInputCurrentA, expected.psu.iin_a)
  t.is(telemetry.psuFanRpm, expected.psu.fan_rpm)
  t.alike(
    telemetry.errors?.map(({ vendorCode }) => Number(vendorCode)),
    expected.errors,
  )
  t.is(telemetry.miningUptimeS, expected.uptime_s)
  t.is(telemetry.network?.dhcp, true)
  t.is(telemetry.network?.ip, undefined, 'an address with colons is none')
})

/** As a live M7BS with API 2.2.2 answered: the summary in `Msg`, the boards in TH/s under MHS names. */
const compatSummary = {
  STATUS: 'S',
  When: 1786628534,
  Code: 131,
  Msg: {
    Elapsed: 10658.685546875,
    'MHS av': 692030656,
    'MHS 1m': 692632192,
    'MHS 15m': 692005440,
    'HS RT': 692632192,
    freq_avg: 419.217,
    'Fan Speed In': 0,
    'Fan Speed Out': 0,
    Power: 9763.263,
    'Power Rate': 14.103,
    'Pool Rejected%': 0,
    Uptime: 12927,
    'Hash Stable': 'true',
    'Target Freq': 0,
    'Env Temp': 45.562,
    'Power Mode': 'High',
    'Factory GHS': 560974,
    'Power Limit': 9758,
    'Chip Temp Min': 57.6,
    'Chip Temp Max': 77.7,
    'Chip Temp Avg': 67.5,
  },
  Description: '',
}

test('M7BS with API 2.2.2: the summary in Msg, board rates in TH/s, liquid temperatures', async (t) => {
  const boards = [0, 1, 2, 3].map((Slot) => ({
    Slot,
    'MHS av': 170.62,
    'MHS 1m': 173,
    'HS RT': 173.1,
    'Effective Chips': 90,
  }))
  const { telemetry, missing } = await replay(t, {
    summary: compatSummary,
    edevs: { STATUS: [{ STATUS: 'S', Msg: '4 ASC(s)' }], DEVS: boards },
    pools: { STATUS: [{ STATUS: 'S' }], POOLS: [] },
    devdetails: { STATUS: [{ STATUS: 'S' }], DEVDETAILS: [{ Model: 'M7BS_VM30' }] },
  })
  t.is(telemetry.hashrateThs, 692.632192)
  t.is(telemetry.expectedHashrateThs, 560.974)
  t.alike(
    telemetry.boards?.map(({ hashrateThs }) => hashrateThs),
    [173.1, 173.1, 173.1, 173.1],
  )
  t.is(telemetry.inletTempC, 45.562, 'on a liquid-cooled model it is the coolant')
  t.is(telemetry.ambientTempC, undefined)
  t.alike(telemetry.fans, [])
  t.is(telemetry.fanMaxRpm, 0)
  t.is(telemetry.tuning?.mode, 'high')
  t.alike(telemetry.pools, [])
  t.is(missing.boards, undefined)
})

test("M30S++ with API v3: the vendor's samples are read right", async (t) => {
  const folder = 'whatsminer-v3/m30spp_vh70_apidoc'
  const expected = fixture(folder, 'expected.json') as Fields & { psu: Record<string, number> }
  const pools = [
    { id: 0, url: 'stratum+tcp://a:1', status: 'alive', account: 'w.1', 'stratum-active': true, 'reject-rate': 0.5 },
  ]
  const edevs = [0, 1, 2].map((slot) => ({
    id: slot,
    slot,
    'hash-average': 33.9,
    freq: 788,
    'effective-chips': 70,
    'chip-temp-max': 99,
  }))
  const status = fixture(folder, 'get_miner_status_summary.json') as { msg: Fields }
  const joined = { ...status, msg: { ...status.msg, pools, edevs } }
  const device = await new V3Device({
    'get.device.info': fixture(folder, 'get_device_info.json'),
    'get.miner.setting': fixture(folder, 'get_miner_setting.json'),
    'get.miner.status summary+pools+edevs': joined,
  }).start(t)
  const { telemetry, missing } = await observe(whatsminerV3, ioTo({ v3: device.port }, []))
  t.is(device.connections, 1, 'all on one connection')
  t.is(device.asked.length, 3)
  t.is(`${telemetry.model}_${telemetry.variant}`, expected.model)
  t.is(telemetry.apiVersion, expected.api_version)
  t.is(telemetry.firmwareVersion, expected.firmware)
  t.is(telemetry.mac, expected.mac)
  t.is(telemetry.hashrateThs, expected.hashrate_ths)
  t.is(telemetry.expectedHashrateThs, expected.expected_hashrate_ths)
  t.is(telemetry.powerW, expected.power_w)
  t.is(telemetry.efficiencyJTh, expected.efficiency_jth)
  t.is(telemetry.powerLimitW, expected.power_limit_w)
  t.alike(
    telemetry.boards?.map(({ boardTempC }) => boardTempC),
    expected.board_temps_c,
  )
  t.alike(
    telemetry.boards?.map(({ hashrateThs, chips }) => [hashrateThs, chips]),
    [
      [33.9, 70],
      [33.9, 70],
      [33.9, 70],
    ],
  )
  t.is(telemetry.boards?.[0]?.expectedHashrateThs, 33.78)
  t.is(telemetry.chipTempMaxC, expected.chip_temp_max_c)
  t.is(telemetry.ambientTempC, expected.ambient_c)
  t.alike(
    telemetry.fans?.map(({ rpm }) => rpm),
    expected.fans_rpm,
  )
  const { psuInputVoltageV, psuInputCurrentA, psuOutputVoltageV, psuInputPowerW, psuFanRpm, psuTempC } = telemetry
  t.alike(
    {
      vin_v: psuInputVoltageV,
      iin_a: psuInputCurrentA,
      vout_v: psuOutputVoltageV,
      pin_w: psuInputPowerW,
      fan_rpm: psuFanRpm,
      temp_c: psuTempC,
    },
    expected.psu,
  )
  t.alike(
    telemetry.errors?.map(({ vendorCode }) => Number(vendorCode)),
    expected.errors,
  )
  t.alike(
    telemetry.errors?.map(({ code, index, cause }) => [code, index, cause]),
    [
      ['board-missing', 1, 'Slot1 not found.'],
      ['board-missing', 2, 'Slot2 not found.'],
    ],
  )
  t.is(telemetry.asleep, true, 'working is false in the sample')
  t.alike(telemetry.network, {
    dhcp: true,
    ip: '192.168.2.98',
    netmask: '255.255.255.0',
    gateway: '192.168.2.1',
    dns: ['192.168.2.1'],
  })
  t.is(telemetry.tuning?.mode, 'normal')
  t.is(telemetry.tuning?.percent, 100, '0 means that no percent is set')
  t.is(telemetry.pools?.[0]?.alive, true)
  t.is(telemetry.acceptedShares, undefined, 'without API v2 there are no share counters')
  t.is(missing.acceptedShares, undefined)
})
