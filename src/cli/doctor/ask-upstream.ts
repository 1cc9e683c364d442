import type { Upstream } from "../../upstream/upstream.ts";

/** An upstream's answer to a request that costs nothing. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly tookMs: number;
}

const PATH = "/v1/models?limit=1";

/**
 * Asks an upstream for its list of models over the very connections that exchanges would use: name, proxy, TLS and, with
 * `credentials`, the credential are all tried at once, and nothing is spent. Rejects with what stopped the connection.
 */
export async function askUpstream(
  upstream: Upstream,
  { credentials, timeoutMs }: { credentials: boolean; timeoutMs: number },
): Promise<UpstreamAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>();
  const beganMs = performance.now();
  let status = 0;
  let abort: (error: Error) => void = () => {};
  const timer = setTimeout(() => {
    const late = Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { name: "TimeoutError" });
    abort(late);
    reject(late);
  }, timeoutMs);
  const headers = ["anthropic-version", "2023-06-01", ...(credentials ? upstream.fixedHeaders : [])];
  upstream.dispatch(
    { path: PATH, method: "GET", headers, body: null },
    {
      onRequestStart: (controller) => {
        abort = (error) => controller.abort(error);
      },
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: () => {},
      onResponseEnd: () => resolve({ status, tookMs: performance.now() - beganMs }),
      onResponseError: (_controller, error) => reject(error),
    },
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
