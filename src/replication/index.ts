export { type FleetSource, fleetView } from './fleet.js'
export { followFeed } from './follow.js'
export { openStore } from './store.js'
export * from './types.js'
