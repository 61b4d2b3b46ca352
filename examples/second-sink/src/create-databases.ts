import { openDatabase } from '@millrace/database'

/** Makes two empty databases on a server that has none of these names, and gives their URLs. */
export async function createDatabases(serverUrl: string): Promise<{ first: string; second: string }> {
  await using server = await openDatabase({ url: serverUrl })
  const url = async (name: string): Promise<string> => {
    await server.pool.query(`create database ${name} template template0 encoding 'UTF8'`)
    return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  }
  return { first: await url('first'), second: await url('second') }
}
