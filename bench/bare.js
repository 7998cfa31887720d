// Bare sockets in a process of their own: they send what a visit of ours sends, byte by byte and connection by connection, wait for each
// answer, and only parse its JSON. No deadline, no check, no value taken.
import { connect } from 'node:net'

/** How an answer ends: with the connection, or as the protocol says it (HTTP with its length or its last chunk, frames with theirs). */
function isWhole(request, answer, last) {
  if (request.startsWith('GET ') || request.startsWith('POST ')) {
    const head = answer.indexOf('\r\n\r\n')
    if (head < 0) return false
    const length = /^content-length: *(\d+)/im.exec(answer.toString('latin1', 0, head))?.[1]
    return length === undefined ? answer.includes('0\r\n\r\n', head) : answer.length >= head + 4 + Number(length)
  }
  const isFrame = request.charCodeAt(3) === 0
  if (isFrame) return answer.length >= 4 && answer.length >= 4 + answer.readUInt32LE()
  return !last && answer.at(-1) === 0
}

function parse(answer) {
  const from = answer.indexOf('{')
  const text = answer.toString('utf8', Math.max(0, from)).replace(/[\0\s]+$/, '')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** One connection: its requests one after the other. */
function talk({ host, port, requests }) {
  return new Promise((resolve, reject) => {
    let at = 0
    let chunks = []
    const socket = connect(port, host, () => socket.write(requests[0], 'latin1'))
    const next = () => {
      parse(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
      chunks = []
      if (++at < requests.length) socket.write(requests[at], 'latin1')
      else socket.destroy(resolve())
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      const last = at === requests.length - 1
      const isText = requests[at].charCodeAt(0) === 0x7b
      if (!(isText && last) && isWhole(requests[at], Buffer.concat(chunks), last)) next()
    })
    socket.on('end', () => (at < requests.length ? next() : undefined))
    socket.on('error', reject)
  })
}

async function run({ visits, concurrency, ms }) {
  let polls = 0
  let connections = 0
  let next = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() - started < ms) {
        const visit = visits[next++ % visits.length]
        connections += visit.length
        for (const connection of visit) await talk(connection)
        polls++
      }
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  return {
    pollsPerS: polls / ((performance.now() - started) / 1000),
    cpuMs: (user + system) / 1000 / polls,
    connections: connections / polls,
  }
}

process.on('message', async (order) => {
  try {
    process.send({ answer: await run(order) })
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit(0))
