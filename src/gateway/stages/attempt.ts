import { WeirError } from "../../core/weir-error.ts";
import { emptyUsage } from "../../message/usage.ts";
import type { Target } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import { forwardHeaders } from "../http/forward-headers.ts";
import { UpstreamCall } from "../relay/upstream-call.ts";
import { errorCode, isTimeout } from "../relay/upstream-failure.ts";
import type { Stage } from "./stage.ts";

export const attempt: Stage = {
  name: "attempt",
  summary: "Try the targets in order until one answers; never again once a byte has been relayed",
  async run(exchange, services) {
    const { targets } = exchange;
    let lastError: Error | null = null;
    for (const [index, target] of targets.entries()) {
      if (exchange.clientGone) break;
      const call = new UpstreamCall(exchange, services, {
        target,
        attempts: index + 1,
        mayFailOver: index + 1 < targets.length,
      });
      exchange.onClientGone = call.clientGone.bind(call);
      target.upstream.dispatch(upstreamRequest(exchange, target), call);
      const outcome = await call.head;
      if (outcome.kind === "relaying") return;
      lastError = outcome.error;
      services.logger.warn(
        { request_id: exchange.id, upstream: target.upstream.name, attempt: index + 1, error: outcome.error.message },
        "attempt failed",
      );
    }
    exchange.onClientGone = null;
    if (exchange.clientGone) {
      clientLeftEarly(exchange, targets);
      throw new ClientGone();
    }
    throw exhausted(exchange, targets, lastError);
  },
};

/** What the Messages API asks for; sent for callers (curl, the simple API) that do not say. */
const DEFAULT_API_VERSION = "2023-06-01";

/** The body as it came, except that the model's name is replaced where the target has another one for it. */
function upstreamRequest(exchange: Exchange, target: Target): Parameters<Target["upstream"]["dispatch"]>[0] {
  const { request } = exchange;
  const body = required(exchange.body, "body");
  const scan = required(exchange.scan, "scan");
  const headers = forwardHeaders(request.rawHeaders, request.headers.connection);
  if (request.headers["content-type"] === undefined) headers.push("content-type", "application/json");
  if (request.headers["anthropic-version"] === undefined) headers.push("anthropic-version", DEFAULT_API_VERSION);
  headers.push("accept-encoding", "identity", ...target.upstream.fixedHeaders);
  if (target.upstream.settings.forwardUserIdentity) headers.push(...identityHeaders(exchange));
  const spliced =
    target.upstreamModel === scan.model
      ? body
      : Buffer.concat([
          body.subarray(0, scan.modelStart),
          Buffer.from(JSON.stringify(target.upstreamModel)),
          body.subarray(scan.modelEnd),
        ]);
  return { path: exchange.upstreamPath, method: "POST", headers, body: spliced };
}

/** For a proxy of the operator's own behind Weir: who asks, under the names that such proxies read. */
function identityHeaders(exchange: Exchange): string[] {
  const { user, key } = required(exchange.identity, "identity");
  const headers = ["x-claude-gateway-user-id", user?.id ?? key.id];
  if (user !== null && user.email !== null)
    headers.push("x-claude-gateway-user-email", user.email, "x-litellm-end-user-id", user.email);
  return headers;
}

function clientLeftEarly(exchange: Exchange, targets: readonly Target[]): void {
  exchange.result ??= {
    status: 499,
    outcome: "client_gone",
    usage: emptyUsage(),
    usageSource: "estimated",
    target: targets[0] ?? null,
    attempts: 1,
    upstreamRequestId: null,
    firstTokenAtMs: null,
    errorType: null,
  };
}

function exhausted(exchange: Exchange, targets: readonly Target[], lastError: Error | null): WeirError {
  const timedOut = lastError !== null && isTimeout(lastError);
  const code = timedOut ? "weir:upstream:timeout" : "weir:upstream:failed";
  const names = targets.map((target) => target.upstream.name).join(", ");
  const why =
    lastError === null
      ? "no attempt was made"
      : lastError instanceof WeirError
        ? lastError.message
        : errorCode(lastError);
  const error = new WeirError(code, `No upstream answered (tried ${names}; last: ${why}).`, { cause: lastError });
  exchange.result = {
    status: error.row.status,
    outcome: timedOut ? "timeout" : "upstream_error",
    usage: emptyUsage(),
    usageSource: "estimated",
    target: targets.at(-1) ?? null,
    attempts: targets.length,
    upstreamRequestId: null,
    firstTokenAtMs: null,
    errorType: error.row.type,
  };
  return error;
}
