export { commander } from './service.js'
