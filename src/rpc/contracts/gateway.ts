import { type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'

export const GatewayAddressSchema = Type.Object({
  /** Where a browser on this machine opens the page: `http://127.0.0.1:3000`. */
  url: Type.String(),
  /** What it is bound to. */
  host: Type.String(),
  port: Type.Integer(),
  /** The port that was asked for; differs from `port` if that one was taken. */
  wantedPort: Type.Integer(),
})
export type GatewayAddress = Static<typeof GatewayAddressSchema>

export const SignInCodeSchema = Type.Object({
  /** Good for one sign-in with the scope admin. */
  code: Type.String(),
  /** The page with the code behind `#`, which no server and no log ever sees. */
  url: Type.String(),
  expiresAt: Type.Number(),
})
export type SignInCode = Static<typeof SignInCodeSchema>

/** What the HTTP face answers about itself to the other services of its node. */
export const gatewayContract = contract('gateway', {
  address: query({ input: Type.Object({}), output: GatewayAddressSchema }),
  /** A new one-time code for the sign-in link that `start` prints. */
  signInCode: action({ needs: 'admin', input: Type.Object({}), output: SignInCodeSchema }),
})
