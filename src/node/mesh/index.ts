/** A node as a peer of its fleet. */
export { createFleet, type FleetPlan } from './create.js'
export { type JoinPlan, joinFleet } from './join.js'
export { keyPairOf, loadGrant, loadMembership, type Membership, mainProcess } from './membership.js'
export { meshName, meshService } from './mesh.js'
export type { MeshOptions } from './options.js'
export { type KnownFeed, type RestoredFeed, type RestorePlan, restoreFeeds } from './restore.js'
export type { Sibling } from './siblings.js'
export { trustRecordCopy } from './trust-copy.js'
