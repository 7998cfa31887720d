/**
 * Virtual miners: real sockets and real protocols in front of a physical model, so that commands change what later reads return.
 *
 * Simulated of every miner: hashrate, power, board and chip temperatures, fans and their slow following of mode, limits, ambient and
 * time; ramp-up after a restart, the silence of a reboot; shares, hardware errors, energy; pools with failover (a host under `.invalid` is
 * always dead); the faults of faults.ts, any of them at run time.
 * Whatsminer: API v2 (4028) with joined commands, tokens and AES, the limits of 16 clients and 32 tokens, the write switch and the
 * factory password, the compatible form that v3 firmware gives; API v3 (4433) with frames, heartbeat, salt, time window, encrypted
 * parameters; logs and firmware over both.
 * Antminer, stock firmware: the CGI pages with digest login (80), the read-only RPC with `new_api` (4028), the engineering port (6060).
 * Avalon: the RPC in its JSON form with the bracket strings, and `ascset`.
 * Bitaxe and NerdQAxe: the REST interface.
 * ePIC: the REST interface on 4028, passwords in the body of writes.
 * Auradine: the read-only RPC on 4028, the REST interface with its token on 8080.
 * Proto Rig: the REST interface with its bearer login.
 * Braiins OS: the RPC of BOSminer, GraphQL (questions are told by what they ask for, their grammar is not read), REST.
 * LuxOS: the RPC with joined commands, its one session, profiles, thermal steering (ATM) and pools.
 * VNish: the REST interface of 1.2 and 1.3 with its token, presets and settings that wait for a restart; the read-only RPC.
 * MaraFW: the pages behind their digest login, as far as the reference describes them.
 * SealMiner: the read-only RPC on 4028, the pages behind their login on 80.
 *
 * Containers (MicroBT over Modbus with its PDUs, ANTSPACE over HTTP, Bitdeer as a client of an MQTT broker), an ABB meter that measures what
 * the simulated miners draw, sensors (Seneca, temperature and humidity).
 *
 * Not simulated: TLS and the pages for browsers, UDP announcements, the vendor tool's port 8889, `set.miner.report`, single chips,
 * firmware images (any is taken that looks like one), real pools (shares are counted, none is sent), a change of the miner's own
 * address (it is reported, but the sockets stay where they are).
 */
export { addressesFrom } from './addresses.js'
export type { Drive } from './drive.js'
export { Farm, type FarmDevice, type FarmOptions, plainDevice, type SimulatedDevice, startFarm } from './farm.js'
export { type Fault, type FaultKind, faultKinds, faults } from './faults.js'
export { type AntminerRow, antminers, type Hardware, type WhatsminerRow, whatsminers } from './hardware.js'
export { Machine } from './machine.js'
export { breeds, type Mix, parseMix } from './mix.js'
export { Physics, type Reading } from './physics.js'
export { AntspaceContainer } from './plant/antspace.js'
export { BitdeerContainer } from './plant/bitdeer.js'
export { type PlantFault, type PlantFaultKind, PlantFaults } from './plant/faults.js'
export { abbB23, climateTransmitter, senecaZ4rtd2 } from './plant/meters.js'
export { MicrobtContainer } from './plant/microbt.js'
export { ModbusGateway, type ModbusUnit, unitOfBlocks, unitOfMemory, wordsOf } from './plant/modbus.js'
export { MqttClient } from './plant/mqtt-client.js'
export { type PlantOptions, parsePlant, plantNames, type RunningPlant, startPlant } from './plant/site.js'
export { type FarmProcess, forkSimulation } from './process.js'
export { runSimulation, type SimulationOptions } from './run.js'
export { simulatedPassword } from './whatsminer/index.js'
