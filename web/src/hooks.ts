import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useReducer, useRef, useState } from 'preact/hooks'
import type { Client, NodeInfo, Session } from './client.js'
import { parseRoute, type Route } from './route.js'
import type { Cell, Devices, Store } from './store.js'

export interface App {
  client: Client
  store: Store
  session: Session
  node: NodeInfo
  signOut(): void
}

export const AppContext = createContext<App | null>(null)

export function useApp(): App {
  const app = useContext(AppContext)
  if (!app) throw new Error('outside of the signed-in page')
  return app
}

const useTick = () => useReducer((count: number) => count + 1, 0)

export function useCell<T>(cell: Cell<T>): T {
  const [, tick] = useTick()
  const value = cell.value
  useEffect(() => {
    if (!Object.is(cell.value, value)) tick(undefined)
    return cell.watch(() => tick(undefined))
  }, [cell])
  return value
}

/** Renders again when devices change, at most every `everyMs`; answers the version. */
export function useDevices(devices: Devices, everyMs = 250): number {
  const [version, setVersion] = useState(devices.version)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      setVersion(devices.version)
    }
    const stop = devices.watch(() => {
      timer ??= setTimeout(show, everyMs)
    })
    show()
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [devices, everyMs])
  return version
}

/** Clocks of gateway and browser may differ; below this it is the way of the message. */
const skewMs = 2500

/** The present time by the gateway's clock, every second, so that ages are right also where the browser's clock is not. */
export function useNow(): number {
  const fleet = useContext(AppContext)?.store.fleet
  const skew = useRef(0)
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    const stop = fleet?.watch(() => {
      const difference = Date.now() - (fleet.value?.at ?? Date.now())
      skew.current = Math.abs(difference) > skewMs ? difference : 0
    })
    return () => {
      clearInterval(timer)
      stop?.()
    }
  }, [fleet])
  return now - skew.current
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => setHash(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return parseRoute(hash)
}

export interface Loaded<T> {
  data: T | null
  error: Error | null
  loading: boolean
  reload(): void
}

/** Asks now, when `deps` change and every `everyMs`; what was there stays until the new answer is in. */
export function useLoad<T>(load: () => Promise<T>, deps: readonly unknown[], everyMs?: number): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ data: null, error: null, loading: true })
  const [round, tick] = useTick()
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      setState((last) => ({ ...last, loading: true }))
      load()
        .then(
          (data) => over || setState({ data, error: null, loading: false }),
          (error: Error) => over || setState((last) => ({ ...last, error, loading: false })),
        )
        .finally(() => {
          if (!over && everyMs) timer = setTimeout(ask, everyMs)
        })
    }
    ask()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [...deps, round, everyMs])
  return { ...state, reload: useCallback(() => tick(undefined), []) }
}

/** A choice that stays in this browser. */
export function useKept<T>(key: string, first: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => read(key) ?? first)
  const keep = (next: T) => {
    setValue(next)
    localStorage.setItem(`miningsdk.${key}`, JSON.stringify(next))
  }
  return [value, keep]
}

function read<T>(key: string): T | undefined {
  try {
    return JSON.parse(localStorage.getItem(`miningsdk.${key}`) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

/** Calls on a click outside of the element and on Escape. */
export function useDismiss(open: boolean, close: () => void) {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const outside = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) close()
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close()
    }
    addEventListener('pointerdown', outside)
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('pointerdown', outside)
      removeEventListener('keydown', onKey)
    }
  }, [open, close])
  return element
}

export function useWide(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const changed = () => setMatches(list.matches)
    list.addEventListener('change', changed)
    return () => list.removeEventListener('change', changed)
  }, [query])
  return matches
}
