import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Health, Severity, Status } from '#model'
import type { DeviceRow } from '../client.js'
import { nameOf } from '../filter.js'
import { age, type Quantity, time, utc } from '../format.js'
import { useNow } from '../hooks.js'
import { hrefOf } from '../route.js'
import { healthLooks, type Look, severityLooks, statusLooks } from '../status.js'
import { Icon } from './icon.js'

export function Value({ of, class: name }: { of: Quantity; class?: string }) {
  return (
    <span class={name ? `value ${name}` : 'value'}>
      {of.value}
      {of.unit && <span class="unit">{` ${of.unit}`}</span>}
    </span>
  )
}

/** Icon and word in the tone of the state; never colour alone. */
export function Mark({ look, reason, count }: { look: Look; reason?: string | null | undefined; count?: number }) {
  return (
    <span class={`mark ${look.tone}`} title={reason ?? look.means}>
      <Icon name={look.shape} />
      {count !== undefined && <b>{count}</b>}
      <span>{look.label}</span>
    </span>
  )
}

export const StatusMark = ({ status, reason }: { status: Status; reason?: string | null | undefined }) => (
  <Mark look={statusLooks[status]} reason={reason} />
)
export const HealthMark = ({ health }: { health: Health }) => <Mark look={healthLooks[health]} />
export const SeverityMark = ({ severity, count }: { severity: Severity; count?: number }) => (
  <Mark look={severityLooks[severity]} {...(count === undefined ? {} : { count })} />
)

/** Local time, with UTC on hover. */
export function Time({ at }: { at: number | null | undefined }) {
  return (
    <time class="num" title={utc(at)} {...(at ? { dateTime: new Date(at).toISOString() } : {})}>
      {time(at, Date.now())}
    </time>
  )
}

export function Age({ at, now }: { at: number | null | undefined; now: number }) {
  return (
    <span class="num" title={utc(at)}>
      {age(at === null || at === undefined ? null : Math.max(0, now - at))}
    </span>
  )
}

export function Ago({ at }: { at: number | null | undefined }) {
  return <Age at={at} now={useNow()} />
}

export function Simulated({ short }: { short?: boolean }) {
  return (
    <span class="tag simulated" title="A simulated device: no hardware behind it">
      <Icon name="flask" size={12} />
      {short ? 'sim' : 'simulated'}
    </span>
  )
}

export function DeviceLink({ record }: { record: DeviceRow }) {
  return (
    <a class="device-link" href={hrefOf('devices', record.id)} title={record.id}>
      {nameOf(record)}
    </a>
  )
}

export function Card({
  title,
  extra,
  children,
  class: name,
}: {
  title?: ComponentChildren
  extra?: ComponentChildren
  children: ComponentChildren
  class?: string
}) {
  return (
    <section class={name ? `card ${name}` : 'card'}>
      {title && (
        <header class="card-head">
          <h2>{title}</h2>
          {extra}
        </header>
      )}
      {children}
    </section>
  )
}

export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <p class="problem" role="alert">
      <Icon name="octagon" />
      <span>{error.message}</span>
      {retry && (
        <button type="button" class="link" onClick={retry}>
          Try again
        </button>
      )}
    </p>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

/** A modal dialog: the browser keeps the focus inside and closes it on Escape. */
export function Dialog({
  title,
  close,
  children,
  wide,
}: {
  title: ComponentChildren
  close: () => void
  children: ComponentChildren
  wide?: boolean
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} class={wide ? 'dialog wide' : 'dialog'} onClose={close} aria-labelledby="dialog-title">
      <header class="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  )
}

/** A share as a thin bar; more than the whole fills it. */
export function Meter({ value, tone = 'accent', label }: { value: number; tone?: string; label: string }) {
  return (
    <div
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuenow={Math.round(value)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div class={tone} style={{ width: `${Math.max(0, Math.min(100, value))}%` }} />
    </div>
  )
}
