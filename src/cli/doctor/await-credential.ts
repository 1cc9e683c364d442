import type { CredentialSource, CredentialStatus } from "../../upstream/credentials/credential.ts";

const LOOK_EVERY_MS = 50;

/** The state of a credential that was asked for, once it is known, at the latest after `patienceMs`. */
export async function awaitCredential(credential: CredentialSource, patienceMs: number): Promise<CredentialStatus> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const status = credential.status();
    if (status.state !== "pending" || performance.now() >= untilMs) return status;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
