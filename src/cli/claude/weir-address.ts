import { isLoopbackHost } from "../../config/ip-address.ts";
import { parseUrl } from "../../config/fields/network.ts";
import { baseUrlOf } from "../base-url.ts";
import type { CliContext, CommonOptions } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { configInvalid } from "../error-report.ts";

/**
 * Where a developer's Weir is: `--url`, else WEIR_URL, else what the configuration says. Rejects with CliError when that is
 * no URL, or the configuration cannot say it.
 *
 * Claude Code is run in directories of other people's files. A weir.yaml that merely lies there may name this machine, and
 * no other: it could send the developer's key anywhere.
 */
export async function weirAddress(
  context: CliContext,
  options: CommonOptions & { readonly url?: string },
): Promise<string> {
  if (options.url !== undefined) return checkUrl(options.url, "--url");
  const variable = context.env["WEIR_URL"] ?? "";
  if (variable !== "") return checkUrl(variable, "WEIR_URL");
  const loaded = await context.loadConfig(options);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  const baseUrl = baseUrlOf(loaded.config);
  if (baseUrl !== null) {
    const isChosen = options.config !== undefined || isLoopbackHost(parseUrl(baseUrl)?.hostname ?? "");
    if (isChosen) return baseUrl;
    throw new CliError(
      "usage",
      `${loaded.mainFile ?? "the configuration"} in this directory would send your key to ${baseUrl}`,
      {
        remedy: `If that is your Weir, say so: --url ${baseUrl}, or WEIR_URL=${baseUrl} in your environment, or name the file with --config.`,
      },
    );
  }
  throw new CliError("usage", "the configuration has listen.port 0: only the running server knows its port", {
    remedy: "Say where Weir is with --url or WEIR_URL.",
  });
}

function checkUrl(text: string, source: string): string {
  const url = parseUrl(text);
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (!isAddress || url.username !== "" || url.password !== "") {
    throw new CliError("usage", `${source} is no address of a Weir`, {
      remedy: "Write scheme and host, for example https://weir.example.com.",
    });
  }
  return url.href.replace(/\/+$/, "");
}
