/** Who is due when: one heap for all devices, so that thousands need one timer. */
export interface Agenda<T> {
  /** Puts the item at `due`; one that is in already is moved. */
  set(item: T, due: number): void
  delete(item: T): void
  dueOf(item: T): number | undefined
  /** When the first one is due; Infinity if none is. */
  first(): number
  /** The first item if it is due at `now`; it is taken out. */
  take(now: number): T | undefined
  readonly size: number
}

interface Slot<T> {
  readonly item: T
  readonly due: number
}

/** A binary heap. A moved or deleted item leaves its old slot behind, which is dropped when it comes up or when such slots prevail. */
export function agenda<T>(): Agenda<T> {
  const current = new Map<T, Slot<T>>()
  let heap: Slot<T>[] = []

  const isOld = (slot: Slot<T>) => current.get(slot.item) !== slot

  function dropOld() {
    while (heap.length > 0 && isOld(heap[0]!)) pop(heap)
  }

  return {
    set(item, due) {
      const slot = { item, due }
      current.set(item, slot)
      push(heap, slot)
      if (heap.length > 64 && heap.length > current.size * 4) {
        heap = [...current.values()].sort((a, b) => a.due - b.due)
      }
    },
    delete(item) {
      current.delete(item)
    },
    dueOf: (item) => current.get(item)?.due,
    first() {
      dropOld()
      return heap[0]?.due ?? Number.POSITIVE_INFINITY
    },
    take(now) {
      dropOld()
      const slot = heap[0]
      if (!slot || slot.due > now) return undefined
      pop(heap)
      current.delete(slot.item)
      return slot.item
    },
    get size() {
      return current.size
    },
  }
}

function push<T>(heap: Slot<T>[], slot: Slot<T>) {
  let at = heap.length
  heap.push(slot)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.due <= slot.due) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = slot
}

function pop<T>(heap: Slot<T>[]) {
  const slot = heap.pop()
  if (slot === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++
    if (heap[child]!.due >= slot.due) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = slot
}
