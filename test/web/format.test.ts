import test from 'brittle'
import {
  age,
  digits,
  duration,
  hashrate,
  incomplete,
  integer,
  none,
  percent,
  power,
  quantity,
  share,
  temperature,
  text,
  time,
  utc,
} from '../../web/src/format.js'

test('a missing value is a dash and a measured zero is 0', (t) => {
  for (const show of [hashrate, power, temperature]) {
    t.is(text(show(null)), none)
    t.is(text(show(undefined)), none)
    t.is(text(show(Number.NaN)), none)
  }
  t.is(text(hashrate(0)), '0 TH/s')
  t.is(text(power(0)), '0 W')
  t.is(text(temperature(0)), '0.0 °C')
  t.is(integer(null), none)
  t.is(integer(0), '0')
  t.is(percent(undefined), none)
  t.is(percent(0), '0 %')
})

test('units change by a factor of a thousand, also where rounding reaches it', (t) => {
  t.is(text(hashrate(205.1)), '205 TH/s')
  t.is(text(hashrate(999.4)), '999 TH/s')
  t.is(text(hashrate(999.9)), '1.00 PH/s')
  t.is(text(hashrate(4923)), '4.92 PH/s')
  t.is(text(hashrate(1_590_000)), '1.59 EH/s')
  t.is(text(hashrate(0.55)), '550 GH/s')
  t.is(text(hashrate(0.0000012)), '1.20 MH/s')
  t.is(text(power(60.3)), '60.3 W')
  t.is(text(power(5550)), '5.55 kW')
  t.is(text(power(35_800_000)), '35.8 MW')
})

test('about three digits, large numbers in groups', (t) => {
  t.is(digits(9.994), '9.99')
  t.is(digits(9.996), '10.0')
  t.is(digits(99.94), '99.9')
  t.is(digits(99.96), '100')
  t.is(integer(9999), '9999')
  t.is(integer(12_040), '12\u2009040')
  t.is(integer(1_234_567), '1\u2009234\u2009567')
})

test('each metric is shown by its unit', (t) => {
  t.is(text(quantity(86_400, 's')), '1 d')
  t.is(text(quantity(5100, 'RPM')), '5100 RPM')
  t.is(text(quantity(12_000, '1')), '12\u2009000')
  t.is(text(quantity(null, 'W')), none)
})

test('a share of nothing or of the unknown is not known', (t) => {
  t.is(share(90, 100), 90)
  t.is(share(0, 100), 0)
  t.is(share(1, 0), undefined)
  t.is(share(null, 100), undefined)
  t.is(share(5, undefined), undefined)
})

test('ages have one unit, durations two, and no clock ahead makes them negative', (t) => {
  t.is(age(0), '0 s')
  t.is(age(-500), '0 s')
  t.is(age(59_999), '59 s')
  t.is(age(60_000), '1 min')
  t.is(age(3 * 86_400_000 + 5), '3 d')
  t.is(age(null), none)
  t.is(duration(0), '0 s')
  t.is(duration(90_000), '1 min 30 s')
  t.is(duration(3 * 86_400_000 + 4 * 3_600_000), '3 d 4 h')
  t.is(duration(3_600_000), '1 h')
})

test('times are local, with the date on other days, and in UTC on hover', (t) => {
  const at = new Date(2026, 10, 23, 7, 5, 9).getTime()
  t.is(time(at, at + 1000), '07:05:09')
  t.is(time(at, at + 40 * 3_600_000), '2026-11-23 07:05:09')
  t.is(time(null, at), none)
  t.is(utc(Date.UTC(2026, 10, 23, 7, 5, 9)), '2026-11-23 07:05:09 UTC')
})

test('a history that could not be read whole says so, naming each worker once', (t) => {
  t.is(incomplete(undefined), '')
  t.is(
    incomplete([{ worker: 'wm' }, { worker: 'am' }, { worker: 'wm' }]),
    'Incomplete: part of what wm, am stored cannot be read now.',
  )
})
