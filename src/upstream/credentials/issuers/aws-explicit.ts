import { type AwsKeys, secretsOfKeys } from "../aws-keys.ts";
import type { Issued, Issuer } from "../issuer.ts";

/** Keys that stand in the configuration. */
export class AwsExplicitIssuer implements Issuer<AwsKeys> {
  readonly what = "AWS keys of the configuration";
  readonly fix = "Replace `auth.aws_access_key_id` and `auth.aws_secret_access_key`.";
  readonly secrets: readonly string[];
  readonly #keys: AwsKeys;

  constructor(keys: AwsKeys) {
    this.#keys = keys;
    this.secrets = secretsOfKeys(keys);
  }

  async issue(): Promise<Issued<AwsKeys>> {
    return { value: this.#keys, expiresAtMs: null };
  }
}
