/** Who we are and who may: identity, grants, invites, secrets at rest. Knows no network. */
export {
  type BackedUp,
  backUp,
  maxBackupBytes,
  openBackup,
  restore,
  sealBackup,
  shortestPassphrase,
} from './backup.js'
export { type Grant, type GrantFacts, GrantSchema, maxGrantBytes, parseGrant } from './grant.js'
export { type Held, rootHeld, type Wanted, whyNot } from './held.js'
export { type Identity, identityFile, openIdentity } from './identity.js'
export { decodeInvite, encodeInvite, type Invite, type InviteKeys, inviteKeys, newInvite, visitorOf } from './invite.js'
export { issueGrant } from './issue.js'
export {
  bytesOf,
  derive,
  fingerprintOf,
  isKey,
  type Key,
  type KeyPair,
  keyOf,
  keyPattern,
  type Random,
  random,
} from './key.js'
export { makeOwnerKey, type OwnerKey, openOwnerKey, ownerFile } from './owner.js'
export { signProof, verifyProof } from './proof.js'
export { covers, type GrantScope, grantScopes, type Role, type RoleFacts, roleNames, roles } from './roles.js'
export { createSecretFile, makeSecretFolder, readSecretFile, writeSecretFile } from './secret-file.js'
export { openVault, type Vault, vaultFile } from './vault.js'
export { clockToleranceMs, type Verification, verifyGrant } from './verify.js'
