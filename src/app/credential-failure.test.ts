import { describe, expect, it } from "vitest";

import { StaticCredential } from "../upstream/credentials/static-credential.ts";
import type { CredentialSource, CredentialStatus } from "../upstream/credentials/credential.ts";
import { credentialFailure } from "./credential-failure.ts";

function upstream(name: string, state: CredentialStatus["state"] | null) {
  if (state === null) return { name, credential: null };
  const credential: CredentialSource = new StaticCredential(name, ["x-api-key", "k"]);
  const status = credential.status();
  credential.status = () => ({ ...status, state });
  return { name, credential };
}

describe("readiness by credentials", () => {
  it("is lost when no upstream has a valid one, and the names are said", () => {
    expect(credentialFailure([upstream("a", "failed"), upstream("b", "pending")])).toBe(
      "no upstream has a valid credential (a, b)",
    );
  });

  it.each([["ready"], ["stale"], [null]] as const)("is there while one is %s, or needs none", (state) => {
    expect(credentialFailure([upstream("a", "failed"), upstream("b", state)])).toBeNull();
  });

  it("is not a matter of credentials where there is no upstream", () => {
    expect(credentialFailure([])).toBeNull();
  });
});
