import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Client, NodeInfo, Session } from './client.js'
import { AppContext, useRoute } from './hooks.js'
import { follow } from './live.js'
import { Commands } from './pages/commands.js'
import { DevicePage } from './pages/device.js'
import { DevicesPage } from './pages/devices.js'
import { Overview } from './pages/overview.js'
import { Services } from './pages/services.js'
import { SignIn } from './pages/sign-in.js'
import { type Route, signInCode } from './route.js'
import { Store } from './store.js'
import { Shell } from './ui/shell.js'

const retryMs = 3000

/** The one-time code is taken out of the address at once, so that it stays in no history and no bookmark. */
function takeCode(): string | null {
  const code = signInCode(location.hash)
  if (code !== null) history.replaceState(null, '', '#/')
  return code
}

const linkCode = takeCode()

/** Signed in or not; what is shown then. */
export function Root({ client }: { client: Client }) {
  const [session, setSession] = useState<Session | null | undefined>(undefined)
  const [node, setNode] = useState<NodeInfo | null>(null)
  const [error, setError] = useState<Error | null>(null)

  useEffect(() => {
    if (session !== undefined) return
    let timer: ReturnType<typeof setTimeout> | undefined
    // A code that is refused leaves the question whether somebody is signed in already.
    const ask = (code: string | null) => {
      const asked = code === null ? client.session() : client.signIn({ code })
      asked.then(setSession, (cause: Error) => {
        setError(cause)
        if (code !== null) ask(null)
        else timer = setTimeout(() => ask(null), retryMs)
      })
    }
    ask(linkCode)
    return () => clearTimeout(timer)
  }, [client, session])

  useEffect(() => {
    setNode(null)
    if (!session) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      client.node().then(setNode, (cause: Error) => {
        setError(cause)
        timer = setTimeout(ask, retryMs)
      })
    }
    ask()
    return () => clearTimeout(timer)
  }, [client, session])

  if (session === null)
    return (
      <SignIn
        client={client}
        error={error}
        done={(next) => {
          setError(null)
          setSession(next)
        }}
      />
    )
  if (!session || !node)
    return (
      <div class="boot">
        {error ? <p role="alert">{error.message}. Trying again …</p> : <p class="quiet">Loading …</p>}
      </div>
    )
  return (
    <SignedIn
      client={client}
      session={session}
      node={node}
      leave={() => {
        setError(null)
        setSession(null)
      }}
    />
  )
}

function SignedIn({
  client,
  session,
  node,
  leave,
}: {
  client: Client
  session: Session
  node: NodeInfo
  leave: () => void
}) {
  const store = useMemo(() => new Store(), [client, session])
  const route = useRoute()
  useEffect(() => {
    const ended = new AbortController()
    void follow(client, store, ended.signal, leave)
    return () => ended.abort()
  }, [client, store])
  const signOut = () =>
    void client
      .signOut()
      .catch(() => {})
      .then(leave)
  return (
    <AppContext.Provider value={{ client, store, session, node, signOut }}>
      <Shell route={route}>
        <Content route={route} />
      </Shell>
    </AppContext.Provider>
  )
}

function Content({ route }: { route: Route }) {
  if (route.page === 'devices') return <DevicesPage route={route} />
  if (route.page === 'device') return <DevicePage key={route.id} id={route.id!} />
  if (route.page === 'commands' || route.page === 'command') return <Commands id={route.id} />
  if (route.page === 'services') return <Services />
  return <Overview />
}
