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
  readonly #options: AwsCredentialOptions;
  readonly #refresher: Refresher<AwsKeys>;
  #signer: SigV4Signer | null = null;

  constructor(options: AwsCredentialOptions) {
    this.name = `credential of ${options.upstream}`;
    this.#options = options;
    this.#refresher = new Refresher({ ...options, secretsOf: secretsOfKeys });
  }

  async start(): Promise<void> {
    this.#signer = await SigV4Signer.load(this.#options.scope, this.#options.clock);
    await this.#refresher.start();
  }

  stop(): Promise<void> {
    return this.#refresher.stop();
  }

  headers(request: SignableRequest): Promise<readonly string[]> {
    if (this.#signer === null)
      throw new WeirError("weir:upstream:credential", `${this.name} is not ready: Weir is still starting`);
    return this.#signer.sign(request, this.#refresher.current());
  }

  status(): CredentialStatus {
    return this.#refresher.status();
  }

  invalidate(): void {
    this.#refresher.invalidate();
  }
}
