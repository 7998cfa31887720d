import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Assertions } from 'brittle'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Everything waited for in a page has to come within this, ms; two busy cores need time. */
const patienceMs = 20_000

/** Why pages cannot be tested here, or null. */
export function unable(): string | null {
  if (!existsSync(executablePath)) return `no Chromium at ${executablePath}: install it or set CHROMIUM_PATH`
  if (!existsSync(join(import.meta.dirname, '../../dist/web/index.html'))) return 'the page is not built: npm run build'
  return null
}

export interface Visit {
  page: Page
  /** What the page wrote as an error, and what broke in it. */
  complaints: string[]
}

let shared: Promise<Browser> | null = null

/** A fresh page of its own cookies; closed with the test. */
export async function visit(t: Assertions, options: BrowserContextOptions = {}): Promise<Visit> {
  shared ??= chromium.launch({ executablePath, args: flags })
  const browser = await shared
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  t.teardown(() => context.close())
  context.setDefaultTimeout(patienceMs)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message))
  return { page, complaints }
}

export async function closeBrowser(): Promise<void> {
  await (await shared)?.close()
  shared = null
}
