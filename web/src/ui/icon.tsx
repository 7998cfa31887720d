import type { Shape } from '../status.js'

/** 16 x 16 paths in the colour of the text around them. The shapes of states differ, so that they are told apart without colour. */
const solid = {
  disc: 'M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z',
  triangle:
    'M7.1 2.4a1 1 0 0 1 1.8 0l5.6 10a1 1 0 0 1-.9 1.5H2.4a1 1 0 0 1-.9-1.5ZM7.2 6v3.6h1.6V6ZM7.2 10.8v1.5h1.6v-1.5Z',
  octagon:
    'M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4ZM5.2 6.3 6.9 8 5.2 9.7l1.1 1.1L8 9.1l1.7 1.7 1.1-1.1L9.1 8l1.7-1.7-1.1-1.1L8 6.9 6.3 5.2Z',
  moon: 'M13.2 9.8A5.8 5.8 0 0 1 6.2 2.8a5.8 5.8 0 1 0 7 7Z',
}

const stroked = {
  ring: 'M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2Z',
  cycle: 'M13 8a5 5 0 1 1-1.5-3.6M12.9 2.2v2.9H10',
  dash: 'M4 8h8',
  question: 'M5.6 6a2.4 2.4 0 1 1 3.5 2.2c-.8.4-1.1.8-1.1 1.6M8 12.4v.1',
  clock: 'M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8ZM8 5.4V8l1.8 1.2',
  search: 'm10.4 10.4 3.2 3.2M11.6 7a4.6 4.6 0 1 1-9.2 0 4.6 4.6 0 0 1 9.2 0Z',
  close: 'm4 4 8 8m0-8-8 8',
  chevron: 'm4.5 6.5 3.5 3.5 3.5-3.5',
  up: 'M8 12.5v-9M4.5 7 8 3.5 11.5 7',
  down: 'M8 3.5v9M4.5 9 8 12.5 11.5 9',
  back: 'M9.5 4 5.5 8l4 4',
  sun: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6ZM8 1.4v1M8 13.6v1M1.4 8h1M13.6 8h1M3.3 3.3l.7.7M12 12l.7.7M12.7 3.3l-.7.7M4 12l-.7.7',
  dark: 'M13.2 9.8A5.8 5.8 0 0 1 6.2 2.8a5.8 5.8 0 1 0 7 7Z',
  auto: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 2.5v11M10.5 3.2v9.6',
  exit: 'M6 2.5H3.5v11H6M7 8h6.5M10.8 5.2 13.5 8l-2.7 2.8',
  home: 'M2.5 7.5 8 2.8l5.5 4.7M4 6.6v6.6h8V6.6',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  bolt: 'M9 1.8 3.5 9H8l-1 5.2L12.5 7H8Z',
  server: 'M2.5 3h11v4.2h-11ZM2.5 8.8h11V13h-11ZM5 5.1h.1M5 10.9h.1',
  radar: 'M8 8l4-4M12.6 8A4.6 4.6 0 1 1 8 3.4M8 1.4A6.6 6.6 0 1 0 14.6 8',
  columns: 'M2.5 3h11v10h-11ZM6.2 3v10M9.8 3v10',
  flask: 'M6.2 2h3.6M6.8 2v4L3.2 12.2A1.2 1.2 0 0 0 4.2 14h7.6a1.2 1.2 0 0 0 1-1.8L9.2 6V2M5 10.4h6',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  check: 'm3.2 8.4 3.2 3.2 6.4-7',
}

export type IconName = keyof typeof solid | keyof typeof stroked | Shape

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const filled = name in solid
  return (
    <svg
      class={filled ? 'icon solid' : `icon ${name}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={filled ? solid[name as keyof typeof solid] : stroked[name as keyof typeof stroked]} />
    </svg>
  )
}
