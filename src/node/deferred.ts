export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

/** A promise and its two ends. One that is rejected while nobody listens is not an error. */
export function deferred<T>(): Deferred<T> {
  let ends!: Omit<Deferred<T>, 'promise'>
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject }
  })
  promise.catch(() => {})
  return { promise, ...ends }
}
