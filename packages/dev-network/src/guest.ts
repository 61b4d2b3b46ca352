import { type Keypair, Secp256k1Keypair } from '@atproto/crypto'
import { type Cid, cidForCbor } from '@atproto/lex-data'
import { encode } from '@atproto/lex-cbor'
import type { AccountContext } from './account.ts'
import { seededBytes } from './random.ts'

/** What others of a network know of an account. */
export interface KnownAccount {
  readonly did: string
  readonly pdsUrl: string
  readonly active: boolean
  readonly status: string
  readonly repo: { readonly head: { readonly cid: Cid; readonly rev: string } }
}

/** An account that is hosted elsewhere. */
export interface NewGuest {
  handle: string
  /** Origin of a host that the network does not run, and that may do anything. */
  pdsUrl: string
}

/**
 * An account whose PDS is not the network's: the directory has its DID, the relay lists it and sends on to its host,
 * and what that serves is its own affair. Nothing of it comes over the firehose.
 */
export class Guest implements KnownAccount {
  readonly did: string
  readonly handle: string
  readonly pdsUrl: string
  /** The key that its DID document names, for whoever makes its repo. */
  readonly keypair: Keypair
  readonly repo: KnownAccount['repo']
  readonly active = true
  readonly status = 'active'

  /** Has the directory know the account, with a key made of the seed. Its first PDS is none; then it is `pdsUrl`. */
  static async create(
    { plc, clock, seed }: Omit<AccountContext, 'publish'>,
    { handle, pdsUrl }: NewGuest,
    index: number,
  ): Promise<Guest> {
    const keypair = await Secp256k1Keypair.import(seededBytes(seed, 'guest key', index))
    const stateAt = (endpoint: string) => ({
      alsoKnownAs: [`at://${handle}`],
      verificationMethods: { atproto: keypair.did() },
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint } },
    })
    // As for accounts of the network: the DID does not depend on a port.
    const did = await plc.create(stateAt('https://pds.test'), clock.iso())
    await plc.update(did, stateAt(pdsUrl), clock.iso())
    // The relay says of its newest commit what it was told, and it was told nothing.
    return new Guest(
      { did, handle, pdsUrl, keypair },
      { cid: await cidForCbor(encode({ did })), rev: clock.tid(index) },
    )
  }

  private constructor(
    { did, handle, pdsUrl, keypair }: NewGuest & { did: string; keypair: Keypair },
    head: KnownAccount['repo']['head'],
  ) {
    this.did = did
    this.handle = handle
    this.pdsUrl = pdsUrl
    this.keypair = keypair
    this.repo = { head }
  }

  /** The revision that the relay lists. */
  get rev(): string {
    return this.repo.head.rev
  }
}
