import type { AnyRoute } from '../route.js'
import { commandRoutes } from './commands.js'
import { deviceRoutes } from './devices.js'
import { fleetRoutes } from './fleet.js'
import { healthRoutes } from './health.js'
import { historyRoutes } from './history.js'
import { libraryRoutes } from './libraries.js'
import { meshRoutes } from './mesh.js'
import { recordRoutes } from './record.js'
import { scanRoutes } from './scans.js'
import { serviceRoutes } from './services.js'
import { sessionRoutes } from './session.js'
import { streamRoutes } from './stream.js'
import { tokenRoutes } from './tokens.js'

/** Everything that HTTP answers, beside the page and the description of all this. */
export const routes: readonly AnyRoute[] = [
  ...healthRoutes,
  ...fleetRoutes,
  ...deviceRoutes,
  ...historyRoutes,
  ...commandRoutes,
  ...scanRoutes,
  ...libraryRoutes,
  ...serviceRoutes,
  ...meshRoutes,
  ...recordRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  ...streamRoutes,
]
