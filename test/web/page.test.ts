import test from 'brittle'
import { closeBrowser, unable, visit } from './browser.js'
import { realSite } from './real-site.js'

const why = unable()
const options = { skip: why !== null, timeout: 120_000 }
if (why) console.log(`# ${why}`)

/** Everything from the simulated device to the page, in one go: a site takes seconds to start, so it is started once. */
test('a newcomer signs in by the link, sees the miners, looks into one and commands it', options, async (t) => {
  const site = await realSite(t, await t.tmp())
  const { page, complaints } = await visit(t)

  await page.goto(await site.link())
  await page.locator('.link-state.live').waitFor()
  t.absent(page.url().includes('code'), 'the code is gone from the address')
  t.ok(await page.getByText('Demo site: simulated devices.').isVisible(), 'the demo says what it is')
  const count = site.farm.devices.length
  await page.locator('.fleet-tile', { hasText: `${count} of ${count} online` }).waitFor()
  await page
    .locator('.tile', { hasText: 'Hashrate' })
    .getByText(/[TP]H\/s/)
    .first()
    .waitFor()
  await page.reload()
  await page.locator('.tiles').waitFor()
  t.pass('the session lasts over a reload')

  await page.getByRole('link', { name: 'Devices', exact: true }).click()
  await page.getByText(`${count} devices`).waitFor()
  const rows = page.locator('.tr[data-row]')
  t.is(await rows.count(), count)
  t.is(await rows.locator('.simulated').count(), count, 'each is marked as simulated')
  await rows.filter({ hasText: 'Mining' }).first().waitFor()

  const whatsminer = rows.filter({ hasText: 'whatsminer' }).filter({ hasText: 'Mining' }).first()
  await whatsminer.locator('a').click()
  await page.getByRole('heading', { name: /^Boards/ }).waitFor()
  await page.getByRole('heading', { name: /^Pools/ }).waitFor()
  await page.getByRole('button', { name: 'Read now' }).click()
  await page.getByText('Read at').waitFor()
  t.pass('raw replies are read on demand')

  await page.getByRole('button', { name: 'Command' }).click()
  await page.getByRole('button', { name: /^Blink the LED/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('checkbox', { name: 'On' }).check()
  await dialog.getByRole('button', { name: /: 1 device$/ }).click()
  await dialog.getByText('Done').waitFor()
  t.ok(
    await dialog
      .locator('.results .mark')
      .filter({ hasText: /Confirmed|Accepted/ })
      .isVisible(),
    'with its result',
  )
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('link', { name: 'Commands' }).click()
  await page.getByRole('link', { name: /^Blink the LED/ }).click()
  await page.getByText('Given by').waitFor()

  await page.getByRole('link', { name: 'Services' }).click()
  for (const name of ['gateway', 'commander', 'whatsminer'])
    await page.getByRole('heading', { name, exact: true }).waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to MiningSDK' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in to MiningSDK' }).waitFor()
  const expected = complaints.filter((text) => !/401/.test(text))
  t.alike(expected, [], 'nothing was refused by the content security policy, nothing broke')
})

test('a link works once; a miner that dies is shown as offline with old values', options, async (t) => {
  const site = await realSite(t, await t.tmp(), 4)
  const link = await site.link()
  const first = await visit(t)
  await first.page.goto(link)
  await first.page.locator('.tiles').waitFor()
  const second = await visit(t)
  await second.page.goto(link)
  await second.page.getByRole('alert').getByText('used already').waitFor()
  t.pass('the second visitor is told so')

  const { page } = first
  await page.goto(`${site.url}/#/devices`)
  await page.locator('.tr[data-row]').filter({ hasText: 'Mining' }).first().waitFor()
  await site.farm.setFault(0, { kind: 'dead' })
  const dead = page.locator('.tr.old').filter({ hasText: 'Offline' })
  await dead.waitFor({ timeout: 60_000 })
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.locator('.fleet-tile', { hasText: '3 of 4 online' }).waitFor()
  t.pass('and counts in no total')
})

test(
  'a container, a meter and a sensor are shown as what they are, and not as miners without hashrate',
  options,
  async (t) => {
    const site = await realSite(t, await t.tmp(), 2, ['wonderint', 'meter', 'seneca'])
    const { page, complaints } = await visit(t)
    await page.goto(await site.link())
    const plant = page.locator('.card', { hasText: 'Containers, meters, sensors' })
    await plant.locator('li', { hasText: 'main meter' }).filter({ hasText: '20.0 kW' }).waitFor({ timeout: 60_000 })
    t.absent((await page.locator('.card', { hasText: 'Miners by model' }).innerText()).includes('B23'))

    await page.goto(`${site.url}/#/devices?kind=container&kind=powermeter&kind=sensor`)
    const rows = page.locator('.tr[data-row]')
    await rows.filter({ hasText: 'main meter' }).waitFor()
    t.is(await rows.count(), 3)
    const sensor = rows.filter({ hasText: 'coolant temperatures' })
    t.ok((await sensor.locator('.hashrate').innerText()).includes('°C'), 'its reading in the place of a hashrate')
    t.is(await sensor.locator('.efficiency').innerText(), '', 'nothing where nothing can be')

    await rows.filter({ hasText: 'wonderint' }).locator('a').click()
    await page.getByRole('heading', { name: 'Sockets (240 of 240 on)' }).waitFor()
    await page.getByRole('heading', { name: 'Cooling', exact: true }).waitFor()
    t.is(await page.getByRole('heading', { name: /^(Pools|Fans|Hashrate)/ }).count(), 0)
    await page.goBack()
    await rows.filter({ hasText: 'coolant temperatures' }).locator('a').click()
    await page.getByRole('heading', { name: 'Readings (3)' }).waitFor()
    t.ok(await page.getByText('supply pipe').isVisible())
    t.is(await page.getByRole('button', { name: 'Command' }).count(), 0, 'it takes no commands')
    t.alike(complaints, [])
  },
)

test.hook('close the browser', closeBrowser)
