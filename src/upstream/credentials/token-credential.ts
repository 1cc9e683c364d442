import type { CredentialSource, CredentialStatus } from "./credential.ts";
import { Refresher, type RefresherOptions } from "./refresher.ts";

/** A token with the headers that carry it, made once when it was obtained. */
export interface TokenHeaders {
  readonly token: string;
  /** Flat list of lower-case names and values. */
  readonly headers: readonly string[];
}

/** The usual way to send a token. */
export function bearer(token: string, more: readonly string[] = []): TokenHeaders {
  return { token, headers: ["authorization", `Bearer ${token}`, ...more] };
}

/** A credential whose token is obtained from somewhere and renewed ahead of its end. */
export class TokenCredential implements CredentialSource {
  readonly name: string;
  readonly betas: readonly string[];
  readonly #refresher: Refresher<TokenHeaders>;

  constructor(options: Omit<RefresherOptions<TokenHeaders>, "secretsOf">, betas: readonly string[] = []) {
    this.name = `credential of ${options.upstream}`;
    this.betas = betas;
    this.#refresher = new Refresher({ ...options, secretsOf: ({ token }) => [token] });
  }

  start(): Promise<void> {
    return this.#refresher.start();
  }

  stop(): Promise<void> {
    return this.#refresher.stop();
  }

  headers(): readonly string[] {
    return this.#refresher.current().headers;
  }

  status(): CredentialStatus {
    return this.#refresher.status();
  }

  invalidate(): void {
    this.#refresher.invalidate();
  }
}
