import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { age, plural, utc } from '../format.js'
import { useApp, useCell, useNow } from '../hooks.js'
import { hrefOf, type Route } from '../route.js'
import { setTheme, type Theme, theme } from '../theme.js'
import { Icon, type IconName } from './icon.js'

const places = [
  { page: 'overview', title: 'Overview', icon: 'home' },
  { page: 'devices', title: 'Devices', icon: 'list' },
  { page: 'commands', title: 'Commands', icon: 'bolt' },
  { page: 'services', title: 'Services', icon: 'server' },
] as const

const sections: Record<Route['page'], string> = {
  overview: 'overview',
  devices: 'devices',
  device: 'devices',
  commands: 'commands',
  command: 'commands',
  services: 'services',
}

/** Header, navigation and the state of the link around every page. */
export function Shell({ route, children }: { route: Route; children: ComponentChildren }) {
  const { store, node, signOut } = useApp()
  const link = useCell(store.link)
  const main = useRef<HTMLElement>(null)
  const section = sections[route.page]
  const title = places.find(({ page }) => page === section)!.title

  useEffect(() => {
    document.title = `${route.id ?? title} · ${node.site} · MiningSDK`
    main.current?.scrollTo(0, 0)
  }, [route.page, route.id])

  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || document.querySelector('dialog[open]'))
        return
      event.preventDefault()
      if (selectSearch()) return
      location.hash = '#/devices'
      requestAnimationFrame(() => setTimeout(selectSearch))
    }
    addEventListener('keydown', slash)
    return () => removeEventListener('keydown', slash)
  }, [])

  return (
    <div class={link.state === 'lost' ? 'shell frozen' : 'shell'}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={hrefOf('overview')} aria-label={`MiningSDK, site ${node.site}`}>
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span class="brand-name">{node.site}</span>
        </a>
        <nav class="nav" aria-label="Pages">
          {places.map(({ page, title: name, icon }) => (
            <a key={page} href={hrefOf(page)} aria-current={page === section ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{name}</span>
            </a>
          ))}
        </nav>
        <div class="top-end">
          <LinkState />
          <ThemeSwitch />
          <button type="button" class="icon-button" onClick={signOut} aria-label="Sign out" title="Sign out">
            <Icon name="exit" />
          </button>
        </div>
      </header>
      <DemoBanner />
      <main id="main" ref={main} tabIndex={-1} class={`page at-${route.page}`}>
        {children}
      </main>
    </div>
  )
}

function DemoBanner() {
  const { store, node } = useApp()
  const fleet = useCell(store.fleet)
  const simulated = fleet?.totals.simulated ?? 0
  if (!node.demo && simulated === 0) return null
  const all = fleet !== null && simulated === fleet.totals.devices
  return (
    <p class="demo">
      <Icon name="flask" />
      <span>
        <b>
          {node.demo
            ? 'Demo site: simulated devices.'
            : all
              ? 'Simulated devices.'
              : `${plural(simulated, 'simulated device')}.`}
        </b>{' '}
        {all || node.demo ? 'No hardware stands behind these figures.' : 'They are marked and are part of the totals.'}
      </span>
    </p>
  )
}

/** Live with the age of the newest value, or frozen with how old everything is. */
function LinkState() {
  const { store } = useApp()
  const link = useCell(store.link)
  const fleet = useCell(store.fleet)
  const now = useNow()
  const newest = fleet?.totals.newestAt ?? null
  const old = age(newest === null ? null : Math.max(0, now - newest))
  if (link.state === 'connecting')
    return (
      <span class="link-state connecting" role="status">
        Connecting …
      </span>
    )
  if (link.state === 'live') {
    return (
      <span class="link-state live" title={`The newest value is of ${utc(newest)}`}>
        <i aria-hidden="true" />
        Live <span class="num quiet">{newest === null ? '' : old}</span>
      </span>
    )
  }
  const wait = link.retryAt === null ? 0 : Math.max(0, Math.ceil((link.retryAt - Date.now()) / 1000))
  return (
    <span
      class="link-state lost"
      role="status"
      title={`The link to the gateway is lost. What is shown is of ${utc(newest)}`}
    >
      <Icon name="pause" size={13} />
      Frozen <span class="num">{old} old</span>
      <span class="retry">{wait > 0 ? `, again in ${wait} s` : ', connecting'}</span>
    </span>
  )
}

const themes: Record<Theme, { next: Theme; icon: IconName; label: string }> = {
  system: { next: 'light', icon: 'auto', label: 'Theme: as the system' },
  light: { next: 'dark', icon: 'sun', label: 'Theme: light' },
  dark: { next: 'system', icon: 'dark', label: 'Theme: dark' },
}

export function ThemeSwitch() {
  const { next, icon, label } = themes[useCell(theme)]
  return (
    <button
      type="button"
      class="icon-button"
      onClick={() => setTheme(next)}
      aria-label={`${label}. Switch to ${next}`}
      title={label}
    >
      <Icon name={icon} />
    </button>
  )
}

function selectSearch(): boolean {
  const search = document.querySelector<HTMLInputElement>('#search')
  search?.select()
  return search !== null
}
