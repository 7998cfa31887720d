/** What a client of the live stream may ask for. */
export const streamEvents = ['devices', 'fleet', 'commands', 'alerts'] as const
export type StreamEvent = (typeof streamEvents)[number]
