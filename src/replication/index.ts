export { openStore } from './store.js'
export * from './types.js'
