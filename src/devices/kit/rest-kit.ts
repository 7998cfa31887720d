/** For device modules outside this package: JSON over HTTP, and careful readers of what a device says. */
export { webPort } from './http.js'
export { bool, fields, num, rows, str } from './json.js'
export { type Login, type Rest, type RestRequest, rest } from './rest.js'
