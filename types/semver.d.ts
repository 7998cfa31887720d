declare module 'semver' {
  /** Whether the version lies in the range; false for what is no version or no range. */
  export function satisfies(version: string, range: string, options?: { includePrerelease?: boolean }): boolean
  /** The range as it is understood; null: it is none. */
  export function validRange(range: string): string | null
}
