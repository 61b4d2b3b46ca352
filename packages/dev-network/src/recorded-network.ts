import { EventStream, cursorOf } from './event-stream.ts'
import { decodeFrame } from './frame.ts'
import { LocalServer, methodOf, sendCar, sendJson, sendText, XrpcError, type Handler } from './http.ts'
import { pageOf } from './pages.ts'
import { type RecordedRepo, type Recording, readRecording } from './recording.ts'

export interface RecordedNetworkOptions {
  /** A folder such as `fixtures/network-basic`. */
  folder: string
  /** 0 takes any free one. @default 0 */
  port?: number
  /** Highest speed of each firehose connection. @default Infinity */
  framesPerSecond?: number
  /** Awaited before each frame of each firehose connection: a promise that waits stops it there. */
  gate?: (seq: number) => Promise<void> | void
  /** DID documents with keys as plc.directory writes them today; false gives the types of 2019. @default true */
  multikey?: boolean
}

/** A recorded network that is served again, all hosts on one port. */
export interface RecordedNetwork extends AsyncDisposable {
  readonly relayUrl: string
  readonly plcUrl: string
  readonly labelerUrl: string
  readonly labelerDid: string
  readonly pdsUrls: readonly string[]
  readonly handleResolverUrl: string
  readonly recording: Recording
  /** The firehose: `hold`, `release`, `dropConnections`, `sendError` and so on. */
  readonly relay: EventStream
  readonly labeler: EventStream
  /** Requests so far by method. */
  readonly requests: Readonly<Record<string, number>>
  /** Sequence number of the last recorded frame. */
  head(): number
  /** Stops the firehose after this frame, until released. @default 0: nothing is sent */
  hold(seq?: number): void
  release(): void
}

/**
 * Serves a recording: firehose and labels with cursors, repos, `listRepos`, PLC documents and handles. The PDS in the
 * DID documents is rewritten to the server itself; everything else is byte for byte as recorded.
 */
export async function startRecordedNetwork({
  folder,
  port = 0,
  framesPerSecond = Infinity,
  gate,
  multikey = true,
}: RecordedNetworkOptions): Promise<RecordedNetwork> {
  const recording = await readRecording(folder)
  const relay = streamOf(recording.frames, new EventStream({ framesPerSecond, gate }))
  const labeler = streamOf(recording.labelFrames, new EventStream())

  const handle: Handler = (url, request, response) => {
    const method = methodOf(url)
    switch (method) {
      case 'com.atproto.sync.listRepos': {
        const { items, ...rest } = pageOf(recording.listRepos, url, 500)
        return sendJson(response, 200, { ...rest, repos: items })
      }
      case 'com.atproto.sync.getRepo': {
        const { status, body, car } = repoOf(recording, url).getRepo
        return car === undefined
          ? sendJson(response, status, body)
          : sendCar(response, recording.cars[car] as Uint8Array)
      }
      case 'com.atproto.sync.getLatestCommit':
      case 'com.atproto.sync.getRepoStatus': {
        const { status, body } = repoOf(recording, url)[
          method === 'com.atproto.sync.getRepoStatus' ? 'getRepoStatus' : 'getLatestCommit'
        ]
        return sendJson(response, status, body)
      }
      case 'com.atproto.identity.resolveHandle': {
        const did = recording.handles[url.searchParams.get('handle') ?? '']
        if (!did) throw new XrpcError(400, 'InvalidRequest', 'Unable to resolve handle')
        return sendJson(response, 200, { did })
      }
      case 'com.atproto.server.describeServer':
        return sendJson(response, 200, { did: 'did:web:127.0.0.1', availableUserDomains: ['.test'] })
      case '/.well-known/atproto-did': {
        const did = recording.handles[(request.headers.host ?? '').split(':')[0] ?? '']
        return did ? sendText(response, 200, did) : sendText(response, 404, 'User not found')
      }
      case '/_health':
      case '_health':
        return sendJson(response, 200, { version: 'recorded' })
      case '/:did':
      case '/:did/log/audit':
      case '/:did/log':
      case '/:did/log/last': {
        const did = decodeURIComponent(url.pathname).split('/')[1] as string
        const entry = recording.dids.get(did)
        if (!entry) return sendJson(response, 404, { message: `DID not registered: ${did}` })
        if (method === '/:did/log/audit') return sendJson(response, 200, entry.log)
        const operations = entry.log.map(({ operation }) => operation)
        if (method === '/:did/log') return sendJson(response, 200, operations)
        if (method === '/:did/log/last') return sendJson(response, 200, operations.at(-1))
        const document = JSON.stringify(multikey ? entry.docMultikey : entry.doc)
        return sendJson(response, 200, JSON.parse(document.replaceAll(`"${recording.pdsUrl}"`, `"${server.url}"`)))
      }
      default:
        throw new XrpcError(404, 'MethodNotFound', method)
    }
  }

  const server = await LocalServer.start({
    port,
    handle,
    streams: {
      'com.atproto.sync.subscribeRepos': (socket, url) => relay.accept(socket, cursorOf(url)),
      'com.atproto.label.subscribeLabels': (socket, url) => labeler.accept(socket, cursorOf(url)),
    },
  })

  return {
    relayUrl: server.url,
    plcUrl: server.url,
    labelerUrl: server.url,
    labelerDid: recording.labelerDid,
    pdsUrls: [server.url],
    handleResolverUrl: server.url,
    recording,
    relay,
    labeler,
    requests: server.requests,
    head: () => relay.head,
    hold: (seq = 0) => relay.hold(seq),
    release: () => relay.release(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function repoOf(recording: Recording, url: URL): RecordedRepo {
  const did = url.searchParams.get('did') ?? ''
  const repo = recording.repos.get(did)
  if (!repo) throw new XrpcError(400, 'RepoNotFound', `Could not find repo for DID: ${did}`)
  return repo
}

function streamOf(frames: readonly Uint8Array[], stream: EventStream): EventStream {
  for (const frame of frames) stream.append(frame, Number(decodeFrame(frame).body['seq']))
  return stream
}
