export {
  AdminAwayError,
  AdminClient,
  AdminError,
  type AdminApi,
  type AdminClientOptions,
  type AdminMethod,
  type InputOf,
  type OutputOf,
} from './admin-client.ts'
export type * from './generated.ts'
