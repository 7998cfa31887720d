/** What `doctor` found, and what to do about it. */
export interface Finding {
  check: string
  state: 'ok' | 'warning' | 'broken'
  finding: string
  action?: string
}

export function ok(check: string, finding: string): Finding {
  return { check, state: 'ok', finding }
}
