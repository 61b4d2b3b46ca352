export { DidResolver, type DidResolution, type DidResolverOptions, type ResolveDidOptions } from './did-resolver.ts'
export { BlockedHostError, NetworkError, ResponseLimitError, TemporaryIdentityError } from './errors.ts'
export {
  createGuardedFetch,
  type AddressLookup,
  type GuardedFetch,
  type GuardedFetchInit,
  type GuardedFetchLimits,
  type GuardedFetchOptions,
} from './guarded-fetch.ts'
export { handleLookUp, type HandleLookUp, type HandleLookUpOptions } from './handle-look-up.ts'
export {
  HandleResolver,
  verifiedHandle,
  type HandleResolverOptions,
  type ResolveHandleOptions,
} from './handle-resolver.ts'
export { HostLimits, type AskOptions, type HostLimitsOptions } from './host-limits.ts'
export { readDidDocument, serviceOrigin, type Identity } from './identity.ts'
export { PdsStatus, type PdsStatusAnswer, type PdsStatusOptions } from './pds-status.ts'
export { isPublicAddress } from './public-address.ts'
export { retryAfterMs } from './retry-after.ts'
export { verifySignature, verifySignatureNow } from './verify-signature.ts'
export { isTemporaryStatus, readXrpcError } from './xrpc-error.ts'
