export const kinds = ['miner', 'container', 'powermeter', 'sensor', 'pool'] as const
export type Kind = (typeof kinds)[number]
