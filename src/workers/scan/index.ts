export { maxAddresses, parseRanges } from './ranges.js'
export { type ScanOptions, scanOnce } from './scan.js'
export { scanner } from './service.js'
