import { readFileSync } from 'node:fs'

/** Of the package that this code belongs to, compiled or as source: the nearest package.json above it. */
export const version = readVersion()

function readVersion(): string {
  for (let folder = new URL('./', import.meta.url); folder.pathname !== '/'; folder = new URL('../', folder)) {
    try {
      return (JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }).version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error('no package.json above the code')
}
