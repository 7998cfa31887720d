// An Acme miner for trying things out: `node test/acme.js 8080`. It answers as the captured one did, and remembers its light.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

export const capture = JSON.parse(readFileSync(new URL('status.json', import.meta.url), 'utf8'))

export async function serveAcme(reply = capture, port = 0) {
  const state = { ...reply }
  const server = createServer(async (request, answer) => {
    if (request.url === '/api/led') {
      let body = ''
      for await (const part of request) body += part
      state.led = JSON.parse(body).on
    }
    answer.end(JSON.stringify(state))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

if (process.argv[1] === import.meta.filename) {
  const server = await serveAcme(capture, Number(process.argv[2]))
  console.log(`an Acme AX-1 listens at 127.0.0.1:${server.address().port}`)
}
