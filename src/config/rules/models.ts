import type { Finding } from "../finding.ts";
import { canonicalModel } from "../../message/models.ts";
import { quoted } from "../quoted.ts";
import type { UpstreamConfig } from "../schema.ts";
import { refusal, type Rule, warning } from "./rule.ts";
import { modelIdentity, unknownUpstream } from "./upstreams.ts";

/** A model mapped to an upstream that does not exist would never be served there. */
export const modelsNameKnownUpstreams: Rule = ({ config }) =>
  config.models.flatMap((model, i) =>
    Object.keys(model.upstream_model).flatMap((name): Finding[] => {
      const unknown = unknownUpstream(config, name);
      if (unknown === null) return [];
      return [{ ...refusal("unknown_upstream", ["models", i, "upstream_model", name], unknown), atKey: true }];
    }),
  );

/** One id, one model; and at least one model at all. */
export const modelsAreDistinct: Rule = ({ config: { models, auto_include_builtin_models: builtin } }) => {
  const findings = models.flatMap(({ id }, i): Finding[] => {
    const first = models.findIndex((other) => modelIdentity(other.id) === modelIdentity(id));
    if (first === i) return [];
    const text = { message: `models[${first}] is the same model`, fix: "Merge the two entries." };
    return [refusal("duplicate", ["models", i, "id"], text)];
  });
  if (builtin || models.length > 0) return findings;
  return [
    refusal("no_models", ["auto_include_builtin_models"], {
      message: "there would be no model to serve: models is empty and auto_include_builtin_models is false",
      fix: "List models, or set auto_include_builtin_models to true.",
    }),
  ];
};

/** A model that is not built in exists only where it is mapped. */
export const modelsAreServedSomewhere: Rule = ({ config: { models } }) =>
  models.flatMap(({ id, upstream_model: map }, i): Finding[] => {
    if (Object.keys(map).length > 0 || canonicalModel(id) !== null) return [];
    return [
      warning("model_without_upstream", ["models", i, "id"], {
        message: `${quoted(id)} is not built in and mapped to no upstream, so every request for it is refused`,
        fix: "Name under upstream_model the upstreams that serve it, each with the id it has there.",
      }),
    ];
  });

/** An id of one provider's form on another provider: a line copied, and a request that fails. */
export const modelIdsFitTheirUpstreams: Rule = ({ config: { models, upstreams } }) =>
  models.flatMap((model, i) =>
    Object.entries(model.upstream_model).flatMap(([name, id]): Finding[] => {
      const upstream = upstreams.find((candidate) => candidate.name === name);
      const misfit = upstream === undefined ? null : misfitOf(id, upstream);
      return misfit === null ? [] : [warning("foreign_model_id", ["models", i, "upstream_model", name], misfit)];
    }),
  );

/** Providers whose ids are never ARNs and never have Bedrock's form. */
const OTHER_THAN_BEDROCK: ReadonlySet<string> = new Set(["anthropicAws", "vertex", "foundry"]);

function misfitOf(id: string, upstream: UpstreamConfig): { message: string; fix: string } | null {
  if (upstream.provider === "bedrock") return arnMisfit(id, upstream.region);
  const isBedrocks = id.startsWith("arn:aws") || /^(?:[a-z-]+\.)?anthropic\.claude-/.test(id);
  if (!isBedrocks || !OTHER_THAN_BEDROCK.has(upstream.provider)) return null;
  return {
    message: `the id has Amazon Bedrock's form, but ${upstream.name} is of provider ${upstream.provider}`,
    fix: "Write the id that this provider knows the model by, or name a Bedrock upstream.",
  };
}

/** Bedrock takes ARNs of the region that is called alone. Those of foundation models may have no account. */
function arnMisfit(id: string, region: string): { message: string; fix: string } | null {
  const [, , , arnRegion] = id.startsWith("arn:aws") ? id.split(":") : [];
  if (arnRegion === undefined || arnRegion === "" || arnRegion === region) return null;
  return {
    message: `the ARN is of region ${arnRegion}, but the upstream calls ${region}`,
    fix: `Name the ARN of ${region}, or an upstream whose region is ${arnRegion}.`,
  };
}

/** An upstream that no model leads to. */
export const upstreamsServeSomething: Rule = ({ config }) => {
  const mapped = new Set(config.models.flatMap((model) => Object.keys(model.upstream_model)));
  const hasBuiltins = config.auto_include_builtin_models || config.models.some(({ id }) => canonicalModel(id) !== null);
  return config.upstreams.flatMap((upstream, i): Finding[] => {
    if (mapped.has(upstream.name) || (upstream.builtin_models && hasBuiltins)) return [];
    return [
      warning("upstream_without_models", ["upstreams", i], {
        message: `no model leads to ${upstream.name}, so it gets no requests`,
        fix: `Map a model to it: models[].upstream_model.${upstream.name}. Or set its builtin_models to true.`,
      }),
    ];
  });
};
