import { didYouMean } from "../../config/did-you-mean.ts";
import { CliError } from "../cli-error.ts";
import { quoted } from "../directory/find-record.ts";

/** The refusal of a name that nothing serves. `listed` are the names that are served. */
export function unknownModel(model: string, listed: readonly string[]): CliError {
  const similar = didYouMean(model, listed);
  const hint = similar.length === 0 ? "" : `Did you mean ${similar.join(" or ")}? `;
  return new CliError("not_found", `no upstream serves ${quoted(model)}: requests for it get 404`, {
    remedy: `${hint}Models are listed under \`models\` in the configuration, beside the built-in ones.`,
    details: { wanted: model, did_you_mean: similar },
  });
}
