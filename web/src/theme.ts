import { Cell } from './store.js'

export type Theme = 'system' | 'light' | 'dark'

const key = 'miningsdk.theme'
const kept = localStorage.getItem(key)

export const theme = new Cell<Theme>(kept === 'light' || kept === 'dark' ? kept : 'system')

export function setTheme(next: Theme): void {
  localStorage.setItem(key, next)
  apply(next)
  theme.set(next)
}

function apply(next: Theme): void {
  if (next === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = next
}

apply(theme.value)
