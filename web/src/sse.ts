export interface StreamEvent {
  event: string
  data: string
  id: string | null
}

const longest = 64 * 1024 * 1024

/**
 * Reads server-sent events from chunks of text that may end anywhere. Comments (heartbeats) give no event. Throws a RangeError on an
 * event without an end.
 */
export function eventReader(onEvent: (event: StreamEvent) => void): (chunk: string) => void {
  let rest = ''
  let event = ''
  let id: string | null = null
  let data: string[] = []

  const line = (text: string) => {
    if (text === '') {
      if (data.length > 0) onEvent({ event: event || 'message', data: data.join('\n'), id })
      event = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data.push(value)
    else if (name === 'event') event = value
    else if (name === 'id') id = value
  }

  return (chunk) => {
    rest += chunk
    let from = 0
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      line(rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end))
      from = end + 1
    }
    rest = rest.slice(from)
    if (rest.length > longest) throw new RangeError('an event of the stream does not end')
  }
}
