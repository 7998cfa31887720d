/** How many sockets may be open at once; whoever wants some waits in line. */
export interface Budget {
  readonly size: number
  /** Runs `job` once `sockets` of them are free; more than there are count as all. */
  spend<T>(sockets: number, job: () => Promise<T>): Promise<T>
  /** Makes it smaller, down to `least`: the system gave less than was planned. */
  shrink(least: number): void
}

export function budget(size: number): Budget {
  let limit = size
  let used = 0
  const line: { sockets: number; start: () => void }[] = []

  function next() {
    for (let first = line[0]; first && used + Math.min(first.sockets, limit) <= limit; first = line[0]) {
      line.shift()
      first.start()
    }
  }

  return {
    get size() {
      return limit
    },
    shrink(least) {
      limit = Math.max(least, Math.floor(limit / 2))
    },
    spend: (sockets, job) =>
      new Promise((resolve, reject) => {
        const start = () => {
          const held = Math.min(sockets, limit)
          used += held
          job()
            .then(resolve, reject)
            .finally(() => {
              used -= held
              next()
            })
        }
        line.push({ sockets, start })
        next()
      }),
  }
}
