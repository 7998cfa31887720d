/** The HTTP face: holds no logic. */

export { adminTokenFile } from './auth/admin-token.js'
export { routes } from './routes/index.js'
export { defaultHost, defaultPort, GatewayConfigSchema, gateway } from './service.js'
