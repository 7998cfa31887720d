/** Which rows are chosen, and the row from which a shift-click extends. */
export interface Selection {
  ids: ReadonlySet<string>
  anchor: string | null
}

export const nothing: Selection = { ids: new Set(), anchor: null }

/** A click on a row's box; with shift, all rows from the anchor to it get the same state. `order` is the order shown. */
export function click(selection: Selection, order: readonly string[], id: string, shift: boolean): Selection {
  const ids = new Set(selection.ids)
  const on = !ids.has(id)
  const from = shift && selection.anchor !== null ? order.indexOf(selection.anchor) : -1
  const to = order.indexOf(id)
  const range = from >= 0 && to >= 0 ? order.slice(Math.min(from, to), Math.max(from, to) + 1) : [id]
  for (const each of range) {
    if (on) ids.add(each)
    else ids.delete(each)
  }
  return { ids, anchor: id }
}

/** All that match; a second time none. */
export function clickAll(selection: Selection, order: readonly string[]): Selection {
  return order.every((id) => selection.ids.has(id)) ? nothing : { ids: new Set(order), anchor: null }
}

/** Without the devices that no longer exist. The same object if nothing changed. */
export function pruned(selection: Selection, exists: (id: string) => boolean): Selection {
  const ids = new Set([...selection.ids].filter(exists))
  return ids.size === selection.ids.size ? selection : { ids, anchor: selection.anchor }
}
