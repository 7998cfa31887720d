declare module 'virtual:vocabulary' {
  import type { CommandName, ErrorCode, Metric } from '#model'
  import type { Schema } from './forms.js'

  export const commands: Record<
    CommandName,
    { title: string; risk: 'safe' | 'disruptive' | 'dangerous'; input: Schema }
  >
  export const errors: Partial<Record<ErrorCode, { title: string; action: string }>>
  export const metrics: Record<Metric, { title: string; unit: string }>
}
