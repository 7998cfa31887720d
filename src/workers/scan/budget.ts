/** How many sockets may be open at once; whoever wants some waits in line. */
export interface Budget {
  readonly size: number
  /** Runs `job` once `sockets` of them are free; more than there are count as all. */
  spend<T>(sockets: number, job: () => Promise<T>): Promise<T>
}

export function budget(size: number): Budget {
  let used = 0
  const line: { sockets: number; start: () => void }[] = []

  function next() {
    for (let first = line[0]; first && used + first.sockets <= size; first = line[0]) {
      line.shift()
      first.start()
    }
  }

  return {
    size,
    spend: (wanted, job) =>
      new Promise((resolve, reject) => {
        const sockets = Math.min(wanted, size)
        const start = () => {
          used += sockets
          job()
            .then(resolve, reject)
            .finally(() => {
              used -= sockets
              next()
            })
        }
        line.push({ sockets, start })
        next()
      }),
  }
}
