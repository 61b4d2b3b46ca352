#!/usr/bin/env node
// `is-ready [port]`: whether the process of this container is ready; for health checks, in an image without curl.
const port = process.argv[2] ?? process.env.METRICS_PORT
try {
  const { status } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) })
  process.exitCode = status === 200 ? 0 : 1
} catch {
  process.exitCode = 1
}
