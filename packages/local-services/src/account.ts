import { chown, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { LocalServiceError } from './errors.ts'
import { works } from './programs.ts'

/** As whom a program runs. */
export interface Account {
  /** What stands before the program on its command line; empty to run it as it is. */
  readonly prefix: readonly string[]
  /** Set when the program gets another user id: then its folders must be passable for that user, and its data its own. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

export const sameAccount: Account = { prefix: [] }

/**
 * Postgres refuses to run as root. In a user namespace it does not see that it is, and files stay where they are;
 * where namespaces are not allowed (chroots, plain Docker) it runs as `postgres` or `nobody`.
 */
export async function unprivilegedAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return sameAccount
  const accounts = await readAccounts()
  const inside = accounts.get('nobody') ?? { uid: 65534, gid: 65534 }
  const namespace = ['--user', `--map-user=${inside.uid}`, `--map-group=${inside.gid}`, '--']
  if (await works('unshare', ...namespace, 'true')) return { prefix: ['unshare', ...namespace] }
  // Programs of Postgres look up the name of their user: an id without an entry would not do.
  const owner = accounts.get('postgres') ?? accounts.get('nobody')
  if (owner) return { prefix: [], owner }
  throw new LocalServiceError(
    'Postgres',
    'Postgres does not run as root, and there is no other way here: no user namespaces, no account postgres or nobody. Run this as an ordinary user, or set the URL of a Postgres that runs.',
  )
}

async function readAccounts(): Promise<Map<string, { uid: number; gid: number }>> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  return new Map(lines.map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]))
}

/** Gives a folder to the account that will write in it. */
export async function handOver(folder: string, { owner }: Account): Promise<void> {
  if (owner) await chown(folder, owner.uid, owner.gid)
}

/** True when any user may pass through the folder and every one above it. Missing ones are created passable. */
export async function isPassable(folder: string): Promise<boolean> {
  for (let above = path.resolve(folder); ; above = path.dirname(above)) {
    const mode = await stat(above).then(
      ({ mode }) => mode,
      () => 0o001,
    )
    if ((mode & 0o001) === 0) return false
    if (above === path.dirname(above)) return true
  }
}
