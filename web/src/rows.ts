/** Which rows of a long list are on screen, with some more on both sides so that scrolling shows no gaps. */
export interface Window {
  first: number
  /** One past the last. */
  end: number
}

export function visibleRows(total: number, rowHeight: number, scrollTop: number, height: number, spare = 8): Window {
  if (total === 0) return { first: 0, end: 0 }
  const first = Math.floor(scrollTop / rowHeight) - spare
  const end = Math.ceil((scrollTop + height) / rowHeight) + spare
  return { first: Math.max(0, Math.min(first, total - 1)), end: Math.max(0, Math.min(end, total)) }
}
