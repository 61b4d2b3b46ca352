import { createRequire } from 'node:module'

export interface Secp256k1 {
  /** @throws for what is no signature or no point. */
  ecdsaVerify(sig: Uint8Array, digest: Uint8Array, point: Uint8Array): boolean
}

/**
 * libsecp256k1, which is made for this one curve. Undefined where no binary of it can be had: OpenSSL does the same, and
 * the package's own replacement in JavaScript is neither fast nor wanted, so it is never loaded.
 */
export function loadSecp256k1(): Secp256k1 | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Secp256k1
  } catch {
    return undefined
  }
}
