import type { StoreLimits } from './types.js'

export const defaultLimits: StoreLimits = {
  segmentMs: 3_600_000,
  segmentBytes: 32 * 1024 * 1024,
  wholeRecordMs: 1_200_000,
  foldSteps: 60,
  foldLeast: 32,
  mergeLeast: 0.05,
}
