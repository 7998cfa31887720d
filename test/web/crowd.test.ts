import test, { type Assertions } from 'brittle'
import { closeBrowser, unable, visit } from './browser.js'
import { crowd } from './crowd.js'

const rows = 10_000
const why = unable()
const options = { skip: why !== null, timeout: 60_000 }
if (why) console.log(`# ${why}`)

async function site(t: Assertions, count = rows) {
  const made = await crowd(count)
  t.teardown(() => made.close())
  return made
}

test(
  '10,000 rows that all change within a second: a few dozen are in the document, and the page stays responsive',
  options,
  async (t) => {
    const made = await site(t)
    made.pace = rows
    const { url } = made
    const { page, complaints } = await visit(t)
    await page.goto(`${url}/#/devices`)
    await page.getByText('10\u2009000 devices').waitFor()
    await page.locator('.tr[data-row="0"]').waitFor()
    const shown = await page.locator('.tr[data-row]').count()
    t.ok(shown > 10 && shown < 80, `${shown} rows in the document`)
    t.is(await page.getByRole('table', { name: 'Devices' }).getAttribute('aria-rowcount'), String(rows + 1))
    const { frames, longest } = (await page.evaluate(`new Promise((resolve) => {
    const times = []
    const table = document.querySelector('.table')
    const step = (at) => {
      times.push(at)
      table.scrollTop += 97
      if (at - times[0] < 3000) requestAnimationFrame(step)
      else resolve({ frames: (times.length - 1) / 3, longest: Math.max(...times.slice(1).map((time, index) => time - times[index])) })
    }
    requestAnimationFrame(step)
  })`)) as { frames: number; longest: number }
    t.comment(`${frames.toFixed(0)} frames a second while scrolling, the longest took ${longest.toFixed(0)} ms`)
    t.ok(frames > 5, 'it draws on')
    await page.evaluate("document.querySelector('.table').scrollTop = 400000")
    await page.locator(`.tr[data-row="${rows - 1}"]`).waitFor()
    t.alike(complaints, [])
  },
)

test('filter, sort and search live in the address; Escape and / are on the keyboard', options, async (t) => {
  const { url } = await site(t, 400)
  const { page } = await visit(t)
  await page.goto(`${url}/#/devices`)
  await page.getByText('400 devices').waitFor()
  await page.getByRole('button', { name: 'Filter by Status' }).click()
  await page.getByRole('group', { name: 'Status' }).getByText('Offline').click()
  await page.keyboard.press('Escape')
  await page.getByRole('group', { name: 'Status' }).waitFor({ state: 'detached' })
  await page.getByRole('columnheader', { name: 'Power' }).getByRole('button').click()
  await page.keyboard.press('/')
  await page.keyboard.type('10.0.1')
  await page.waitForURL(/#\/devices\?status=offline&q=10\.0\.1&sort=-power$/)
  const found = await page.locator('.shown').textContent()
  await page.reload()
  await page.locator('.tr[data-row="0"]').waitFor()
  t.is(await page.locator('.shown').textContent(), found, 'the same after a reload')
  t.ok(await page.locator('.tr[data-row="0"].old').isVisible(), 'values of an offline device are shown as old')
  t.is(await page.getByRole('columnheader', { name: 'Power' }).getAttribute('aria-sort'), 'descending')
  await page.getByRole('button', { name: 'Clear all' }).click()
  await page.getByText('400 devices').waitFor()
})

test(
  'a command to many: chosen with shift, typed confirmation, progress for each, retry of what failed',
  options,
  async (t) => {
    const { url } = await site(t, 400)
    const { page, complaints } = await visit(t)
    await page.goto(`${url}/#/devices?status=mining`)
    await page.locator('.tr[data-row="0"]').waitFor()
    await page.getByLabel('Select all that match').click()
    await page.getByText('(all that match)').waitFor()
    await page.getByRole('button', { name: 'Command', exact: true }).click()
    await page.getByRole('button', { name: /^Set the power mode/ }).click()
    const dialog = page.getByRole('dialog')
    const send = dialog.getByRole('button', { name: /^Set the power mode: \d/ })
    const count = /(\d+)/.exec((await send.textContent())!.replace('\u2009', ''))![1]!
    t.ok(await send.isDisabled(), 'not before it is confirmed')
    t.ok(await dialog.getByText(/MW now/).isVisible(), 'the power that it touches is shown')
    await dialog.getByLabel(/^Type/).fill(count)
    await send.click()
    await dialog.getByText('choose one').waitFor()
    await dialog.getByLabel('Mode').selectOption('low')
    await send.click()
    await dialog.getByText('Running').waitFor()
    await dialog.getByText('Done').waitFor()
    const retry = dialog.getByRole('button', { name: /^Retry/ })
    const failed = Number(/(\d+)/.exec((await retry.textContent())!)![1])
    t.ok(failed > 0 && failed < Number(count))
    await retry.click()
    await dialog.getByRole('button', { name: `Set the power mode: ${failed} devices` }).waitFor()
    t.is(await dialog.getByLabel('Mode').inputValue(), 'low', 'with the same parameters')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Commands' }).click()
    await page.getByRole('link', { name: 'Set the power mode' }).waitFor()
    t.alike(complaints, [])
  },
)

test('on a lost link the page freezes with its age, and comes back by itself', options, async (t) => {
  const made = await site(t, 400)
  const { page } = await visit(t)
  await page.goto(made.url)
  await page.locator('.link-state.live').waitFor()
  const hashrate = page.locator('.tile').nth(1).locator('.big')
  await hashrate.waitFor()
  made.down = true
  await page.locator('.link-state.lost').getByText('Frozen').waitFor()
  t.ok(await hashrate.isVisible(), 'what was there stays')
  t.ok((await page.locator('.link-state.lost').textContent())?.includes('old'))
  made.down = false
  await page.locator('.link-state.live').waitFor()
  t.pass('live again')
})

test('nothing is said of the devices before they are read', options, async (t) => {
  const { url } = await site(t, 4)
  const { page } = await visit(t)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/api/v1/devices?*', async (route) => {
    await held
    await route.continue()
  })
  await page.goto(url)
  for (const title of ['Needs attention', 'Miners by model'])
    await page.locator('.card', { hasText: title }).getByText('Loading').waitFor()
  t.is(await page.getByText('Nothing stands out').count(), 0)
  release()
  await page.locator('.card', { hasText: 'Miners by model' }).locator('tbody tr').first().waitFor()
  t.is(await page.getByText('Loading').count(), 0, 'once they are, all at once')
})

test('a phone shows two lines a device and nothing is wider than the screen', options, async (t) => {
  const { url } = await site(t, 400)
  const { page } = await visit(t, { viewport: { width: 390, height: 844 } })
  for (const path of ['', '#/devices', '#/commands', '#/services']) {
    await page.goto(`${url}/${path}`)
    await page.locator('.link-state.live').waitFor()
    t.is(await page.evaluate('document.documentElement.scrollWidth'), 390, path)
  }
  await page.goto(`${url}/#/devices`)
  await page.locator('.narrow-cells').first().waitFor()
  await page.locator('.device-link').first().click()
  await page.getByRole('heading', { name: /^Boards/ }).waitFor()
  t.is(await page.evaluate('document.querySelector("main").scrollWidth <= 390'), true)
})

test('a wrong token is refused in words', options, async (t) => {
  const { url } = await site(t, 4)
  const { page } = await visit(t)
  await page.route('**/api/v1/session', (route) =>
    route.request().method() === 'GET' ? route.fulfill({ status: 401, json: {} }) : route.continue(),
  )
  await page.goto(url)
  await page.getByLabel('Token or sign-in link').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('not valid').waitFor()
  await page.getByLabel('Token or sign-in link').fill('msdk_right')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.tiles').waitFor()
  t.pass('and the right one is taken')
})

test('charts of which not all could be read say so, of the site and of a device', options, async (t) => {
  const { url } = await site(t, 4)
  const { page, complaints } = await visit(t)
  await page.goto(url)
  await page.locator('.charts').waitFor()
  t.is(await page.getByText('Incomplete').count(), 0)
  const missing = [{ from: 0, to: 1, worker: 'wm-m56s', site: 'north', reason: 'absent' }]
  await page.route('**/history?*', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...(await response.json()), missing } })
  })
  await page.reload()
  const word = page.getByText('Incomplete: part of what wm-m56s stored cannot be read now.')
  await word.waitFor()
  await page.goto(`${url}/#/devices`)
  await page.locator('.device-link').first().click()
  await page.getByRole('heading', { name: /^Boards/ }).waitFor()
  await word.waitFor()
  t.alike(complaints, [])
})

test.hook('close the browser', closeBrowser)
