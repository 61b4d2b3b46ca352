import { P256Keypair, Secp256k1Keypair, type Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { makeRepoCar, Random } from '@millrace/dev-network'
import { InvalidRepoError, RepoIntake, textsOf, verifyRepo } from '@millrace/repo-backfill'
import { InvalidEventError } from '@millrace/stream-protocol'
import { mutate } from '../mutate.ts'
import { FuzzError, type FuzzTarget, type Verdict } from '../target.ts'
import { randomRecord } from './random-record.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const rev = '3lqjmnw2c2k2a'
const run = { host: 'pds.example', time: '2025-01-01T00:00:00.000Z', run: 'fuzz' }
const SIZES = [0, 1, 3, 40]

interface SignedRepo {
  car: Buffer
  signingKey: string
  /** What a fetch of it brings. */
  entries: string
}

/** Signed repos of different sizes, the same in every run, so that an input means the same tomorrow. */
const repos: readonly SignedRepo[] = await Promise.all(
  SIZES.map(async (size, index) => {
    const random = new Random(`repo ${index}`)
    const records = Array.from(
      { length: size },
      (_, n) => [`app.bsky.feed.post/${n}`, encode(randomRecord(random))] as const,
    )
    const keypair = await keyOf(index)
    const car = await makeRepoCar({ did, rev, keypair, records })
    return { car, signingKey: keypair.did(), entries: await entriesOf(car, keypair.did()) }
  }),
)

function keyOf(index: number): Promise<Keypair> {
  const secret = Buffer.alloc(32, index + 1)
  return index % 2 === 0 ? Secp256k1Keypair.import(secret) : P256Keypair.import(secret)
}

/**
 * Whole repos. Nobody but its owner can sign another one: what is accepted, however it was changed on the way, is what
 * was signed, to the letter. The first byte of an input says which repo it was.
 */
export const carTarget: FuzzTarget = {
  name: 'car',
  make(random) {
    const index = random.below(repos.length)
    const { car } = repos[index]!
    const changed = random.chance(0.5) ? mutate(car, random) : mutateSections(car, random)
    return Buffer.concat([Buffer.from([index]), changed])
  },
  async run(input): Promise<Verdict> {
    const { signingKey, entries } = repos[(input[0] ?? 0) % repos.length]!
    try {
      if ((await entriesOf(input.subarray(1), signingKey)) !== entries)
        throw new FuzzError('its records are not those that were signed')
      return 'accepted'
    } catch (error) {
      if (error instanceof InvalidRepoError || error instanceof InvalidEventError) return 'refused'
      throw error
    }
  },
}

async function entriesOf(car: Uint8Array, signingKey: string): Promise<string> {
  const intake = new RepoIntake()
  // Parts of a size that depends on the file: borders fall everywhere.
  const size = 1 + (car.length % 97)
  for (let at = 0; at < car.length; at += size) await intake.write(car.subarray(at, at + size))
  const repo = await verifyRepo(await intake.end(), { did, signingKey })
  const texts: string[] = []
  for await (const chunk of repo.entries(run)) texts.push(...textsOf(chunk))
  return texts.join('\n')
}

/** Leaves sections whole: drops, doubles, moves or forges some. */
function mutateSections(car: Buffer, random: Random): Buffer {
  const [header, ...sections] = sectionsOf(car)
  const changed = sections.flatMap((section) => {
    if (!random.chance(0.1)) return [section]
    switch (random.below(4)) {
      case 0:
        return []
      case 1:
        return [section, section]
      case 2:
        return [section, forge(section, random)]
      default:
        return [forge(section, random), section]
    }
  })
  return Buffer.concat([header!, ...(random.chance(0.3) ? random.shuffled(changed) : changed)])
}

/** Another content under the same CID. */
function forge(section: Buffer, random: Random): Buffer {
  const forged = Buffer.from(section)
  const contentAt = (section[0]! < 128 ? 1 : 2) + 36
  if (contentAt < section.length) forged[contentAt + random.below(section.length - contentAt)]! ^= 1 + random.below(255)
  return forged
}

/** Sections here are shorter than 16 KiB. */
function sectionsOf(car: Buffer): Buffer[] {
  const sections: Buffer[] = []
  for (let at = 0; at < car.length;) {
    const first = car[at]!
    const end = at + (first < 128 ? 1 + first : 2 + (first & 127) + (car[at + 1]! << 7))
    sections.push(car.subarray(at, end))
    at = end
  }
  return sections
}
