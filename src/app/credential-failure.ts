import type { Upstream } from "../upstream/upstream.ts";

/** Those parts of an upstream that tell whether there is anything to send to it. */
type Credentialed = Pick<Upstream, "name" | "credential">;

/**
 * Why no request can be served for want of a credential; null while at least one upstream has a valid one, or needs none. Some
 * without are no reason to take this process out: routing goes round them.
 */
export function credentialFailure(upstreams: readonly Credentialed[]): string | null {
  if (upstreams.length === 0 || upstreams.some(hasCredential)) return null;
  return `no upstream has a valid credential (${upstreams.map(({ name }) => name).join(", ")})`;
}

function hasCredential({ credential }: Credentialed): boolean {
  const state = credential?.status().state ?? "ready";
  return state === "ready" || state === "stale";
}
