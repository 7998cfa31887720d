import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { type CommandInput, SdkError } from '#model'

/** The size of a firmware file, bytes, if it is the one that was meant; a wrong file is BAD_REQUEST before anything is sent. */
export async function verifiedSize({ path, sha256 }: CommandInput<'updateFirmware'>): Promise<number> {
  try {
    const { size } = await stat(path)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    if (hash.digest('hex') === sha256) return size
  } catch (error) {
    throw new SdkError('BAD_REQUEST', 'the firmware file cannot be read', { cause: error })
  }
  throw new SdkError('BAD_REQUEST', 'the firmware file does not have the given sha256')
}

/** The headers and the body, streamed from the disk, of a form with one file and perhaps some text fields before it. */
export function multipartFile(
  { name, path, size, filename }: { name: string; path: string; size: number; filename?: string },
  texts: Readonly<Record<string, string>> = {},
) {
  const boundary = `firmware-${randomUUID()}`
  const shown = (filename ?? basename(path)).replace(/[^\w.-]/g, '_')
  const before = Object.entries(texts).map(
    ([key, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`,
  )
  const head = Buffer.from(
    `${before.join('')}--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${shown}"\r\ncontent-type: application/octet-stream\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  async function* parts() {
    yield head
    yield* createReadStream(path)
    yield tail
  }
  const headers = {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    'content-length': String(head.length + size + tail.length),
  }
  return { headers, body: () => Readable.from(parts()) }
}
