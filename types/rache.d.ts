declare module 'rache' {
  /** A cache that all trees of a store share; what does not fit is dropped by chance. */
  export default class Rache {
    constructor(options: { maxSize: number })
  }
}
