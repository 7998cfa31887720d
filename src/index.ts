/** The public SDK. */
export * from '#model'
export * from '#rpc'
export * from '#devices'
