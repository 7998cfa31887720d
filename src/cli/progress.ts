import cliProgress from 'cli-progress'
import type { Output } from './output.js'

export interface Progress {
  update(value: number, note?: string): void
  stop(): void
}

const silent: Progress = { update() {}, stop() {} }

/** A bar on stderr, and only on a terminal: piped output stays clean. */
export function progressBar(out: Output, title: string, total: number): Progress {
  if (!process.stderr.isTTY || out.json) return silent
  const bar = new cliProgress.SingleBar(
    {
      format: `${title} {bar} {value}/{total} {note}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    },
    cliProgress.Presets.shades_classic,
  )
  bar.start(total, 0, { note: '' })
  return { update: (value, note = '') => bar.update(value, { note }), stop: () => bar.stop() }
}
