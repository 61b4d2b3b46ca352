export type { AccountStatus, CommitFrame, NetworkRecord, RecordInput, RecordWrite } from './account.ts'
export { collectFrames, type CollectFramesOptions } from './collect-frames.ts'
export { EventStream, type EventStreamOptions } from './event-stream.ts'
export {
  startFaultControl,
  type FaultControl,
  type FaultList,
  type FaultName,
  type FaultRequest,
  type ListedFault,
} from './fault-control.ts'
export type { ActiveFault, Faults, IdentityFault, RepoFault } from './faults.ts'
export { decodeFrame, encodeFrame, type Frame } from './frame.ts'
export type { Guest, NewGuest } from './guest.ts'
export type { LabelInput, SentLabel } from './labels.ts'
export { lexToJson, type RecordJson } from './lex-json.ts'
export type { DidState, PlcDirectory } from './plc-directory.ts'
export { Random, seededBytes } from './random.ts'
export { makeRepoCar, type RepoCarOptions } from './repo-car.ts'
export { startRecordedNetwork, type RecordedNetwork, type RecordedNetworkOptions } from './recorded-network.ts'
export { recordedRepos, type RepoAtEnd } from './recorded-repos.ts'
export { readRecording, type ListedRepo, type RecordedRepo, type Recording } from './recording.ts'
export type { SimulatedAccount } from './simulated-account.ts'
export {
  startSimulatedNetwork,
  type NetworkTotals,
  type SimulatedNetwork,
  type SimulatedNetworkOptions,
} from './simulated-network.ts'
