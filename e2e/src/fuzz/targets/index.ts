import type { FuzzTarget } from '../target.ts'
import { carTarget } from './car.ts'
import { cborTarget } from './cbor.ts'
import { frameTarget } from './frame.ts'
import { streamTarget } from './stream.ts'
import { treeTarget } from './tree.ts'

export const fuzzTargets: readonly FuzzTarget[] = [carTarget, cborTarget, treeTarget, frameTarget, streamTarget]
