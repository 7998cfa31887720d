/** The Modbus parts as one face, for tests and for device packages of others. */
export { dataOf, encodeFrame, frameReader, readPdu, wordsOf, writeManyPdu, writePdu } from './modbus-frame.js'
export { type ModbusSession, openModbus, type SessionLimits } from './modbus-session.js'
export { blocksOf, decode } from './registers.js'
