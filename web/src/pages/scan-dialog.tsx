import { useEffect, useState } from 'preact/hooks'
import type { FoundDevice, Scan } from '#rpc'
import { integer, percent, plural, share } from '../format.js'
import { useApp, useKept } from '../hooks.js'
import { Dialog, Meter, Problem } from '../ui/parts.js'

const pollMs = 500
const listedMax = 500

const states: Record<Scan['state'], string> = {
  running: 'Scanning',
  complete: 'Complete',
  incomplete: 'Incomplete',
  cancelled: 'Cancelled',
}

/** Ranges in, devices out; those that are chosen become devices of the site. */
export function ScanDialog({ close }: { close: () => void }) {
  const { client } = useApp()
  const [ranges, setRanges] = useKept('scan-ranges', '')
  const [scan, setScan] = useState<Scan | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const list = ranges.split(/[\s,;]+/).filter(Boolean)

  useEffect(() => {
    if (scan?.state !== 'running') return
    const timer = setTimeout(
      () =>
        client.scan(scan.id).then(setScan, (cause: Error) => {
          setError(cause)
          setScan({ ...scan })
        }),
      pollMs,
    )
    return () => clearTimeout(timer)
  }, [scan])

  const start = (event: Event) => {
    event.preventDefault()
    setError(null)
    client.startScan({ ranges: list }).then(setScan, setError)
  }

  return (
    <Dialog title="Scan the network" close={close} wide>
      <form class="dialog-body" onSubmit={start}>
        <div class="field">
          <label for="ranges">Addresses</label>
          <textarea
            id="ranges"
            rows={3}
            spellcheck={false}
            placeholder={'10.0.0.0/22\n10.0.4.10-60'}
            value={ranges}
            aria-describedby="ranges-hint"
            onInput={(event) => setRanges(event.currentTarget.value)}
          />
          <p class="hint" id="ranges-hint">
            Networks, ranges or single addresses, one a line.
          </p>
        </div>
        {error && <Problem error={error} />}
        {scan && <Progress scan={scan} />}
        {scan && scan.found.length > 0 && <Found scan={scan} setScan={setScan} setError={setError} />}
        <footer class="dialog-foot">
          {scan?.state === 'running' && (
            <button type="button" onClick={() => client.cancelScan(scan.id).then(setScan, setError)}>
              Stop
            </button>
          )}
          <button type="button" onClick={close}>
            Close
          </button>
          <button
            type="submit"
            class={scan?.found.length ? '' : 'primary'}
            disabled={list.length === 0 || scan?.state === 'running'}
          >
            {scan ? 'Scan again' : 'Scan'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

function Progress({ scan }: { scan: Scan }) {
  const done = share(scan.tried, scan.addresses) ?? 0
  return (
    <div class="scan-progress">
      <p role="status">
        <b>{states[scan.state]}</b>{' '}
        <span class="num">
          {integer(scan.tried)} of {plural(scan.addresses, 'address', 'addresses')},{' '}
          {plural(scan.found.length, 'device')} found
        </span>
      </p>
      <Meter value={done} label="Scanned" tone={scan.state === 'incomplete' ? 'warn' : 'accent'} />
      {scan.reason && <p class="notice">{scan.reason}</p>}
      {scan.untried.length > 0 && (
        <details>
          <summary>{plural(scan.untried.length, 'address', 'addresses')} not tried</summary>
          <ul class="rows">
            {scan.untried.slice(0, listedMax).map(({ host, reason }) => (
              <li key={host}>
                <span class="num">{host}</span>
                <span class="why">{reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

const place = ({ host, port }: FoundDevice) => `${host}:${port}`

function Found({
  scan,
  setScan,
  setError,
}: {
  scan: Scan
  setScan: (scan: Scan) => void
  setError: (error: Error) => void
}) {
  const { client } = useApp()
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [busy, setBusy] = useState(false)
  const fresh = scan.found.filter(
    (found) => found.library !== null && found.knownAs === null && !scan.adopted.includes(found.host),
  )
  const chosen = fresh.filter((found) => !left.has(found.host))
  const toggle = (host: string) => {
    const next = new Set(left)
    if (!next.delete(host)) next.add(host)
    setLeft(next)
  }
  const adopt = () => {
    setBusy(true)
    client
      .adopt(
        scan.id,
        chosen.map(({ host }) => host),
      )
      .then(setScan, setError)
      .finally(() => setBusy(false))
  }
  return (
    <>
      <ul class="rows found">
        {scan.found.slice(0, listedMax).map((found) => (
          <li key={place(found)}>
            {fresh.includes(found) ? (
              <input
                type="checkbox"
                aria-label={`Add ${place(found)}`}
                checked={!left.has(found.host)}
                onChange={() => toggle(found.host)}
              />
            ) : (
              <span />
            )}
            <span class="num">{place(found)}</span>
            <span class="why" title={found.seen.join('\n')}>
              {found.library
                ? [found.make, found.model ?? 'unknown model', found.firmware].filter(Boolean).join(' ')
                : `Not recognised: ${found.seen.join(', ')}`}
            </span>
            <span class="quiet">
              {found.knownAs !== null
                ? 'known'
                : (scan.refused.find(({ host }) => host === found.host)?.reason ?? percent(found.confidence * 100))}
            </span>
          </li>
        ))}
      </ul>
      {fresh.length > 0 && scan.state !== 'running' && (
        <button type="button" class="primary" disabled={chosen.length === 0 || busy} onClick={adopt}>
          {busy ? 'Adding …' : `Add ${plural(chosen.length, 'device')}`}
        </button>
      )}
    </>
  )
}
