/** The public SDK: re-exports only. */
export * from '#devices'
export { gateway } from '#gateway'
export * from '#model'
export type {
  Connection,
  Context,
  Directory,
  Monitor,
  Node,
  NodeOptions,
  PeerOptions,
  Placement,
  Scope,
  Service,
  SiteConfig,
} from '#node'
export {
  closeOnSignals,
  connect,
  createLog,
  createNode,
  createScope,
  defineService,
  loadConfig,
  openMonitor,
  version,
} from '#node'
export type {
  DevicePage,
  DeviceQuery,
  FeedAge,
  FleetView,
  HistoryQuery,
  Keep,
  LocalStore,
  OpenStore,
  Reader,
  Series,
  Store,
  StoreOptions,
  Tick,
  Totals,
} from '#replication'
export { fleetView, openStore, stepMs } from '#replication'
export * from '#rpc'
export { workerServices } from '#workers'
