import { WeirError } from "../../core/weir-error.ts";
import { type AwsKeys, secretsOfKeys, type SigningScope } from "./aws-keys.ts";
import type { CredentialSource, CredentialStatus, SignableRequest } from "./credential.ts";
import { Refresher, type RefresherOptions } from "./refresher.ts";
import { SigV4Signer } from "./sigv4-signer.ts";

export interface AwsCredentialOptions extends Omit<RefresherOptions<AwsKeys>, "secretsOf"> {
  readonly scope: SigningScope;
}

/** A credential that signs each request with AWS keys, which are renewed ahead of their end. */
export class AwsCredential implements CredentialSource {
  readonly name: string;
  readonly betas: readonly string[] = [];
  readonly #refresher: Refresher<AwsKeys>;
  readonly #signer: SigV4Signer;
  #started = false;

  constructor(options: AwsCredentialOptions) {
    this.name = `credential of ${options.upstream}`;
    this.#refresher = new Refresher({ ...options, secretsOf: secretsOfKeys });
    this.#signer = new SigV4Signer(options.scope, options.clock);
  }

  async start(): Promise<void> {
    await this.#refresher.start();
    this.#started = true;
  }

  stop(): Promise<void> {
    return this.#refresher.stop();
  }

  headers(request: SignableRequest): readonly string[] {
    if (!this.#started) {
      throw new WeirError("weir:upstream:credential", `${this.name} is not ready: Weir is still starting`);
    }
    return this.#signer.sign(request, this.#refresher.current());
  }

  status(): CredentialStatus {
    return this.#refresher.status();
  }

  invalidate(): void {
    this.#refresher.invalidate();
  }
}
