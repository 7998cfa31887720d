import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type CommandInput, SdkError } from '#model'

const maxFirmwareBytes = 256 * 1024 * 1024

/** The firmware file, if it is the one that was meant: BAD_REQUEST if it cannot be read, is empty, too large or has another SHA-256. */
export async function firmwareFile({ path, sha256 }: CommandInput<'updateFirmware'>): Promise<Buffer> {
  const file = await readable(path)
  const found = createHash('sha256').update(file).digest('hex')
  if (found !== sha256) throw new SdkError('BAD_REQUEST', `the firmware file has SHA-256 ${found}, not the one given`)
  return file
}

async function readable(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size === 0 || size > maxFirmwareBytes)
      throw new SdkError('BAD_REQUEST', `a firmware file has 1 to ${maxFirmwareBytes} bytes, this one ${size}`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof SdkError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new SdkError('BAD_REQUEST', `the firmware file cannot be read (${code})`, { cause: error })
  }
}

/** A fetched log archive as a result that travels. */
export function logResult(bytes: Buffer) {
  return { name: 'logs.tgz', type: 'application/gzip', bytes: bytes.length, base64: bytes.toString('base64') }
}
