// The process in which a library is run for the first time: see trial.ts.
import { errorInfo } from '#model'
import { loadPackage } from './package.js'
import type { Trial, Verdict } from './trial.js'

process.once('message', async ({ found, sdkUrl }: Trial) => {
  const verdict: Verdict = await loadPackage(found, sdkUrl).then(
    () => ({}),
    (error: unknown) => ({ error: errorInfo(error) }),
  )
  process.send?.(verdict)
})
process.once('disconnect', () => process.exit())
