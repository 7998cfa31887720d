import { useState } from 'preact/hooks'
import { type Client, ClientError, type Session } from '../client.js'
import { Icon } from '../ui/icon.js'
import { ThemeSwitch } from '../ui/shell.js'

/** What a refusal means for somebody who wants to sign in. */
function explained(error: Error): string {
  if (!(error instanceof ClientError)) return error.message
  if (error.status === 401 || error.status === 403)
    return 'This link or token is not valid, was used already or has expired.'
  if (error.code === 'RATE_LIMITED') return 'Too many attempts. Wait a minute, then try again.'
  return error.message
}

export function SignIn({
  client,
  error,
  done,
}: {
  client: Client
  error: Error | null
  done: (session: Session) => void
}) {
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [refused, setRefused] = useState<Error | null>(error)

  const submit = (event: Event) => {
    event.preventDefault()
    const given = token.trim()
    const code = /#code=([^&\s]+)/.exec(given)?.[1]
    setBusy(true)
    client
      .signIn(code ? { code: decodeURIComponent(code) } : { token: given })
      .then(done, setRefused)
      .finally(() => setBusy(false))
  }

  return (
    <div class="sign-in">
      <div class="sign-in-theme">
        <ThemeSwitch />
      </div>
      <main>
        <img src="/icon.svg" alt="" width="48" height="48" />
        <h1>Sign in to MiningSDK</h1>
        <p class="quiet">Open the link that the terminal printed at the start, or paste a token.</p>
        <form onSubmit={submit}>
          <label for="token">Token or sign-in link</label>
          <input
            id="token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            placeholder="msdk_…"
            value={token}
            aria-invalid={refused !== null}
            aria-describedby={refused ? 'refused' : 'where'}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          {refused && (
            <p class="problem" role="alert" id="refused">
              <Icon name="octagon" />
              <span>{explained(refused)}</span>
            </p>
          )}
          <button type="submit" class="primary" disabled={busy || token.trim() === ''}>
            {busy ? 'Signing in …' : 'Sign in'}
          </button>
        </form>
        <p class="hint" id="where">
          The admin token lies in <code>admin.token</code> in the site's storage folder. More tokens:{' '}
          <code>miningsdk token create</code>.
        </p>
      </main>
    </div>
  )
}
