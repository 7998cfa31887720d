import type { Io } from '../io.js'
import { type HttpResponse, http, webPort } from './http.js'
import { rest } from './rest.js'

/** The pages of a SealMiner behind its login, which gives a cookie (protocols/other-firmwares.md). It has no password that is the same for all. */
export const sealWeb = rest('sealminer', webPort, {
  defaults: [],
  isDenied,
  async open(io, { username, password }) {
    const response = await http(io, webPort, {
      method: 'POST',
      path: pagePath('login'),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ username, origin_pwd: password }).toString(),
    })
    const cookie = cookieOf(response)
    if (response.status >= 400 || cookie === undefined) return undefined
    // A session is given to everybody: whether it is one of somebody who may is seen by using it.
    return isDenied(await http(io, webPort, { path: pagePath('get_system_info'), headers: { cookie } }))
      ? undefined
      : { cookie }
  },
})

export function pagePath(page: string): string {
  return `/cgi-bin/${page}.php`
}

/** One page that does something; a POST with its fields, or a GET that is never sent twice. */
export function sealWrite(io: Io, page: string, json?: object): Promise<unknown> {
  const path = pagePath(page)
  return sealWeb.call(io, json === undefined ? { path, once: true, as: 'text' } : { path, json, as: 'text' })
}

/** Who is not signed in is sent to the login page, or shown it. */
function isDenied({ status, body }: HttpResponse): boolean {
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) return true
  return status < 300 && /^\s*<(!doctype|html)/i.test(body.subarray(0, 64).toString('latin1'))
}

const maxCookie = 512

function cookieOf({ headers }: HttpResponse): string | undefined {
  const set = headers['set-cookie']
  const pairs = (Array.isArray(set) ? set : set === undefined ? [] : [set]).map((each) => each.split(';')[0]!.trim())
  const cookie = pairs.filter((pair) => /^[\w.-]+=[\x21-\x7e]*$/.test(pair)).join('; ')
  return cookie === '' || cookie.length > maxCookie ? undefined : cookie
}
