/** What AWS requests are signed with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Set for temporary keys. */
  readonly sessionToken: string | null;
}

/** Where signatures are valid. */
export interface SigningScope {
  readonly region: string;
  /** The service's name in signatures: `bedrock`, `aws-external-anthropic`, `sagemaker`. */
  readonly service: string;
}

/** The parts of keys that must not come to light. */
export function secretsOfKeys(keys: AwsKeys): readonly string[] {
  return keys.sessionToken === null ? [keys.secretAccessKey] : [keys.secretAccessKey, keys.sessionToken];
}
