import { WeirError } from "../../core/weir-error.ts";
import { looksLikeToken } from "../../identity/tokens/access-token.ts";
import type { Exchange } from "../exchange.ts";
import type { Stage } from "./stage.ts";

export const identify: Stage = {
  name: "identify",
  summary: "Find the key or session behind x-api-key or Authorization: Bearer; before the body is read",
  run(exchange, services) {
    const { keys, sessions, clock } = services;
    const secret = credential(exchange);
    if (secret !== null && looksLikeToken(secret)) exchange.identity = sessions.authenticate(secret, clock.nowMs());
    else if (secret !== null) exchange.identity = keys.authenticate(secret, clock.nowMs());
    else if (!exchange.snapshot.requireKey) exchange.identity = keys.oldest(clock.nowMs());
    else throw new WeirError("weir:auth:missing", NO_KEY);
  },
};

const NO_KEY = "No key was sent. Send your Weir key as x-api-key or as Authorization: Bearer.";

/** The caller's secret, or null when none was sent. Both headers may be sent (Claude Code does with apiKeyHelper); then they must agree. */
function credential(exchange: Exchange): string | null {
  // Azure's clients call it api-key.
  const apiKey = exchange.header("x-api-key") ?? exchange.header("api-key");
  const authorization = exchange.header("authorization");
  const bearer = authorization === null ? null : (/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? null);
  if (authorization !== null && bearer === null && apiKey === null) {
    throw new WeirError("weir:auth:missing", "The Authorization header must read: Bearer <your Weir key>.");
  }
  if (apiKey !== null && bearer !== null && apiKey !== bearer) {
    // A key of Weir's beside a foreign token (a developer logged in elsewhere): the one that is Weir's counts.
    return apiKey.startsWith("wr-") ? apiKey : bearer;
  }
  return apiKey ?? bearer;
}
