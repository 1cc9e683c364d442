import type { CredentialSource, CredentialStatus } from "./credential.ts";

const STATUS: CredentialStatus = {
  state: "ready",
  obtainedAtMs: null,
  expiresAtMs: null,
  nextAttemptAtMs: null,
  failure: null,
};

/** A credential that stands in the configuration: the same headers for every request. */
export class StaticCredential implements CredentialSource {
  readonly name: string;
  readonly betas: readonly string[];
  readonly #headers: readonly string[];

  /** `headers` is a flat list of lower-case names and values. */
  constructor(upstream: string, headers: readonly string[], betas: readonly string[] = []) {
    this.name = `credential of ${upstream}`;
    this.#headers = headers;
    this.betas = betas;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  headers(): readonly string[] {
    return this.#headers;
  }

  status(): CredentialStatus {
    return STATUS;
  }

  invalidate(): void {}
}
