import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ErrorInfo, SdkError } from '#model'
import type { Package } from './package.js'

/** A process of its own may take so long to start and to import a library. */
const trialMs = 20_000
const child = fileURLToPath(import.meta.resolve('#trial'))

/** What the process is sent, and what it answers. */
export interface Trial {
  readonly found: Package
  readonly sdkUrl: string
}
export interface Verdict {
  readonly error?: ErrorInfo
}

/**
 * Runs a package for the first time where it can do no harm to what runs: in a process of its own that may throw, hang or end. Throws
 * LIBRARY_INVALID with the reason.
 */
export async function tryPackage(found: Package, sdkUrl: string): Promise<void> {
  const tested = fork(child, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const invalid = (why: string) =>
    new SdkError('LIBRARY_INVALID', `${found.name} is no library that can be used: ${why}`)
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(invalid(`it did not end within ${trialMs / 1000} s`)), trialMs)
      tested.once('error', (error) => reject(new SdkError('UNAVAILABLE', `it could not be tried: ${error.message}`)))
      tested.once('exit', (code, signal) => {
        clearTimeout(timer)
        reject(invalid(`it ends the process that imports it (${signal ?? `exit ${code}`})`))
      })
      tested.once('message', ({ error }: Verdict) => {
        clearTimeout(timer)
        if (error) reject(new SdkError(error.code, error.message))
        else resolve()
      })
      tested.send({ found, sdkUrl } satisfies Trial)
    })
  } finally {
    tested.removeAllListeners()
    tested.kill('SIGKILL')
  }
}
