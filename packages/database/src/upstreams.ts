import type { Database } from './open-database.ts'

/** A host that the pipeline reads. */
export interface Upstream {
  /** Without scheme. */
  host: string
  /** The stream that its events go to. */
  stream: string
  /** With scheme. */
  url: string
}

/** Says which hosts this process reads: what compares and repairs has to know them. */
export async function registerUpstreams({ pool }: Database, upstreams: readonly Upstream[]): Promise<void> {
  if (upstreams.length === 0) return
  await pool.query(
    `insert into millrace_upstream (host, stream, url)
     select * from unnest($1::text[], $2::text[], $3::text[]) as k(host, stream, url) order by host, stream
     on conflict (host, stream) do update set url = excluded.url, seen_at = now()`,
    [upstreams.map(({ host }) => host), upstreams.map(({ stream }) => stream), upstreams.map(({ url }) => url)],
  )
}

/** All hosts that processes have said to read. */
export async function readUpstreams({ pool }: Database): Promise<Upstream[]> {
  const { rows } = await pool.query<Upstream>('select host, stream, url from millrace_upstream order by host, stream')
  return rows
}
