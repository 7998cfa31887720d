import test from 'brittle'
import { acceptsType } from '#workers'

test('a device type takes its model, its variants and its family, and nothing that only begins alike', (t) => {
  const yes: [string, string, string?][] = [
    ['M56S', 'M56S'],
    ['M56S', 'M56S', 'VH30'],
    ['M56S', 'M56S+'],
    ['M56SVH30', 'M56S', 'VH30'],
    ['m56s_vh30', 'M56S', 'VH30'],
    ['S19', 'S19 XP'],
    ['S19', 'Antminer S19j Pro'],
    ['S19XP', 'S19 XP'],
    ['S19 XP', 'S19XP'],
    ['Antminer S21', 'S21 Hyd'],
    ['M30S+', 'M30S+'],
  ]
  const no: [string, string, string?][] = [
    ['S1', 'S19'],
    ['S19XP', 'S19'],
    ['M5', 'M56S'],
    ['M30S+', 'M30S++'],
    ['M56S', 'M50S'],
    ['T21', 'S21'],
    ['M56SVH3', 'M56S', 'VH30'],
  ]
  for (const [type, model, variant] of yes)
    t.ok(acceptsType(type, model, variant), `${type} takes ${model} ${variant ?? ''}`)
  for (const [type, model, variant] of no) t.absent(acceptsType(type, model, variant), `${type} does not take ${model}`)
  t.ok(acceptsType(undefined, 'M56S'), 'no type takes all')
  t.ok(acceptsType('M56S', undefined), 'what is not known yet is taken')
})
