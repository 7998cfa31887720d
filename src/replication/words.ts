import { deflateRawSync, inflateRawSync } from 'node:zlib'

const maxBytes = 64 * 1024 * 1024

/** What words of a feed are often made of: it belongs to version 2 of frames and chunks, and never changes. */
const usual = Buffer.from(
  [
    '","settings":{"pools":[{"url":"stratum+tcp://","user":"',
    '"events":[{"at":17,"type":"error-raised","deviceId":"","message":"","data":{"from":"offline","to":"mining","error":{"code":"',
    '"type":"error-cleared","type":"status","type":"inventory","type":"command","type":"config","type":"service"',
    '"psuTempC","psuFanRpm","dcPowerW","psuOutputVoltageV","psuInputPowerW","psuInputCurrentA","psuInputVoltageV"',
    '"bestShare","hwErrorPct","hwErrors","staleShares","poolStalePct","poolRejectPct","rejectedShares","acceptedShares"',
    '"boards.0.voltageV","boards.0.powerW","boards.0.inletTempC","boards.0.outletTempC","boards.0.hwErrors","boards.0.hwErrorPct"',
    '"pools.0.rejectPct","pools.0.difficulty","pools.0.lastShareAt","pools.0.priority","pools.0.quota"',
    '"ids":["home."],"shapes":[["boards.0.hashrateThs","boards.0.expectedHashrateThs","boards.0.chips","boards.0.expectedChips",',
    '"boards.0.frequencyMhz","boards.0.boardTempC","boards.0.chipTempMinC","boards.0.chipTempMaxC","boards.0.chipTempAvgC",',
    '"boards.1.hashrateThs","boards.1.expectedHashrateThs","boards.1.chips","boards.1.expectedChips",',
    '"boards.1.frequencyMhz","boards.1.boardTempC","boards.1.chipTempMinC","boards.1.chipTempMaxC","boards.1.chipTempAvgC",',
    '"boards.2.hashrateThs","boards.2.expectedHashrateThs","boards.2.chips","boards.2.expectedChips",',
    '"boards.2.frequencyMhz","boards.2.boardTempC","boards.2.chipTempMinC","boards.2.chipTempMaxC","boards.2.chipTempAvgC",',
    '"fans.0.rpm","fans.1.rpm","fans.2.rpm","fans.3.rpm","pools.0.accepted","pools.0.rejected","pools.0.stale",',
    '"pools.1.accepted","pools.1.rejected","pools.1.stale","pools.2.accepted","pools.2.rejected","pools.2.stale",',
    '"hashrate5sThs","hashrate30sThs","hashrate1mThs","hashrate5mThs","hashrate15mThs","hashrate30mThs","hashrateAvgThs",',
    '"expectedHashrateThs","nominalHashrateThs","powerW","powerLimitW","ambientTempC","inletTempC","outletTempC","boardTempMaxC",',
    '"boardTempAvgC","chipTempMaxC","chipTempAvgC","chipTempMinC","fanMaxRpm","fanDutyPct","frequencyMhz","uptimeS",',
    '"miningUptimeS","acceptedShares","rejectedShares","hashrateThs","efficiencyJTh"]]',
    '"tuning":{"mode":"normal","targetW":,"network":{"dhcp":true,"ip":"10.0.0.","netmask":"255.255.255.0","gateway":"","dns":[]},',
    '"records":[{"id":"home.","kind":"miner","make":"Bitmain","model":"Antminer S19","make":"MicroBT","model":"M50S","variant":"VH30",',
    '"firmware":{"family":"stock","version":"2023"},"site":"home","worker":"","address":"10.0.0.1:4028","serial":null,',
    '"mac":"C4:11:","name":null,"tags":[],"location":{"container":"","rack":"","slot":},"simulated":false,"status":"offline",',
    '"status":"mining","statusReason":null,"health":"ok","at":17,"askedAt":17,"latencyMs":1,"metrics":{"hashrateThs":,"hashrate1mThs":,',
    '"hashrate15mThs":,"hashrateAvgThs":,"expectedHashrateThs":,"nominalHashrateThs":,"powerW":,"powerLimitW":,"efficiencyJTh":,',
    '"ambientTempC":,"boardTempMaxC":,"chipTempMaxC":,"chipTempAvgC":,"chipTempMinC":,"fanMaxRpm":,"frequencyMhz":,"uptimeS":,',
    '"miningUptimeS":,"acceptedShares":,"rejectedShares":},"boards":[{"slot":0,"serial":"","status":"ok","hashrateThs":,',
    '"expectedHashrateThs":,"chips":,"expectedChips":,"frequencyMhz":,"boardTempC":,"chipTempMinC":,"chipTempMaxC":,"chipTempAvgC":},',
    '{"slot":1,"status":"ok","hashrateThs":,{"slot":2,"status":"ok"}],"fans":[{"index":0,"location":"in","rpm":,"status":"ok"},',
    '{"index":1,"location":"out","rpm":}],"pools":[{"index":0,"url":"stratum+tcp://","user":"","active":true,"alive":true,"priority":0,',
    '"accepted":,"rejected":,"stale":}],"errors":[],"missing":{},"capabilities":["reboot","setPools","setPowerMode","setLed"]}]',
  ].join(''),
)

/** Text in few bytes, also if it is short. */
export function packWords(text: string): Uint8Array {
  return deflateRawSync(text, { level: 2, dictionary: usual })
}

export function unpackWords(bytes: Uint8Array): string {
  return inflateRawSync(bytes, { dictionary: usual, maxOutputLength: maxBytes }).toString()
}
