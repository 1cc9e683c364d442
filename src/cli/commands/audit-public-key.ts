import type { Command } from "commander";

import { publicKeyPem } from "../../ledger/audit/statement-signer.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";

const EXAMPLES = [
  { line: "weir audit public-key > weir-audit.pem" },
  { line: "weir audit public-key --json | jq -r .key_id" },
];

/** `weir audit public-key`. */
export function auditPublicKeyCommand(host: Host): Command {
  const command = defineCommand({
    name: "public-key",
    summary: "print the key that signed heads and exports verify with",
    description: "Prints the public key as PEM. Keep it apart from Weir: whoever has it can check any export.",
    examples: EXAMPLES,
  });
  return addInstallationOptions(command).action(async (options: CommonOptions) => {
    const signer = await host.context.auditSigner(options);
    const pem = publicKeyPem(signer.publicKey);
    outputFor(host, options).result({ key_id: signer.keyId, public_key: pem }, () => pem.trimEnd().split("\n"));
    host.finish(EXIT.ok);
  });
}
