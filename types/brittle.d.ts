declare module 'brittle' {
  export interface Assertions {
    is(actual: unknown, expected: unknown, message?: string): void
    not(actual: unknown, expected: unknown, message?: string): void
    alike(actual: unknown, expected: unknown, message?: string): void
    unlike(actual: unknown, expected: unknown, message?: string): void
    ok(value: unknown, message?: string): void
    absent(value: unknown, message?: string): void
    pass(message?: string): void
    fail(message?: string): void
    exception(call: Promise<unknown> | (() => unknown), expected?: RegExp | object, message?: string): Promise<void>
    execution(call: Promise<unknown> | (() => unknown), message?: string): Promise<unknown>
    plan(count: number): void
    teardown(close: () => unknown, options?: { order?: number }): void
    timeout(ms: number): void
    comment(...message: unknown[]): void
    /** A folder that is removed after the test. */
    tmp(): Promise<string>
    test(name: string, body: (t: Assertions) => unknown): Promise<boolean>
  }
  interface Options {
    timeout?: number
    skip?: boolean
  }
  interface Test {
    (name: string, body: (t: Assertions) => unknown): Promise<boolean>
    (name: string, options: Options, body: (t: Assertions) => unknown): Promise<boolean>
    skip(name: string, body: (t: Assertions) => unknown): void
    solo(name: string, body: (t: Assertions) => unknown): void
    hook(name: string, body: (t: Assertions) => unknown): void
  }
  const test: Test
  export default test
  export { test }
}
