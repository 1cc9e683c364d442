import { isObject, objectsOf, textOf, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";

/** What a cloud's Messages validator takes besides what the engine itself checks. */
export interface MessagesRules {
  /** Top-level members that it knows. */
  readonly members: ReadonlySet<string>;
  /** Members of the first-party API that it does not have: sending one is the gateway's mistake, not the caller's. */
  readonly firstPartyMembers: ReadonlySet<string>;
  /** Members that are refused unless the beta is asked for; the beginning of its name. */
  readonly memberBetas: Readonly<Record<string, string>>;
  /** Betas that it knows, by the beginning of their names; the others are refused. `any` where nothing is refused. */
  readonly betas: readonly string[] | "any";
  /** Types of Anthropic's own tools that it has. */
  readonly toolTypes: RegExp;
  /** Types of image and document sources that it takes. */
  readonly sources: ReadonlySet<string>;
}

/** A rule that a request broke. */
export interface BrokenRule {
  readonly message: string;
  /** Whether no caller can be at fault. */
  readonly isGateways: boolean;
}

const TOOL_MEMBERS = new Set(["type", "name", "description", "input_schema", "cache_control", "strict"]);
const CACHE_MEMBERS = new Set(["type", "ttl"]);

/** The first rule that a Messages request breaks at a cloud, worded as Messages validators word it; null when none. */
export function brokenRule(body: JsonObject, betas: readonly string[], rules: MessagesRules): BrokenRule | null {
  return (
    wrongBeta(betas, rules) ??
    wrongMember(body, betas, rules) ??
    wrongTool(objectsOf(body["tools"]), betas, rules) ??
    wrongBlock(body, rules)
  );
}

/** What is wrong with a list of betas, whatever the cloud; null when nothing is. */
export function malformedBetas(betas: readonly string[]): string | null {
  const malformed = betas.find((beta) => !/^[a-z0-9][a-z0-9-]*$/.test(beta));
  if (malformed !== undefined) return `invalid beta flag ${JSON.stringify(malformed)}`;
  const twice = betas.find((beta, index) => betas.indexOf(beta) !== index);
  return twice === undefined ? null : `beta flag ${twice} is there twice`;
}

function wrongBeta(betas: readonly string[], rules: MessagesRules): BrokenRule | null {
  const malformed = malformedBetas(betas);
  if (malformed !== null) return { message: malformed, isGateways: true };
  const { betas: known } = rules;
  if (known === "any") return null;
  const unknown = betas.find((beta) => !known.some((start) => beta.startsWith(start)));
  return unknown === undefined ? null : { message: `invalid beta flag: ${unknown}`, isGateways: true };
}

function wrongMember(body: JsonObject, betas: readonly string[], rules: MessagesRules): BrokenRule | null {
  for (const name of Object.keys(body)) {
    const beta = rules.memberBetas[name];
    const lacksBeta = beta !== undefined && !betas.some((asked) => asked.startsWith(beta));
    if (rules.members.has(name) && !lacksBeta) continue;
    const isGateways = lacksBeta || rules.firstPartyMembers.has(name);
    return { message: `${name}: Extra inputs are not permitted`, isGateways };
  }
  return null;
}

function wrongTool(tools: readonly JsonObject[], betas: readonly string[], rules: MessagesRules): BrokenRule | null {
  for (const [index, tool] of tools.entries()) {
    const type = textOf(tool, "type");
    if (type !== "" && type !== "custom") {
      if (rules.toolTypes.test(type)) continue;
      const message = `tools.${index}: Input tag '${type}' found using 'type' does not match any of the expected tags`;
      return { message, isGateways: false };
    }
    const optional = new Map([
      ["defer_loading", "tool-search-tool"],
      ["allowed_callers", "advanced-tool-use"],
      ["input_examples", "tool-examples"],
      ["eager_input_streaming", "fine-grained-tool-streaming"],
    ]);
    const allows = (name: string): boolean => {
      const beta = optional.get(name);
      return beta !== undefined && (rules.betas === "any" || betas.some((asked) => asked.startsWith(beta)));
    };
    const extra = Object.keys(tool).find((name) => !TOOL_MEMBERS.has(name) && !allows(name));
    if (extra === undefined) continue;
    const message = `tools.${index}.custom.${extra}: Extra inputs are not permitted`;
    return { message, isGateways: optional.has(extra) };
  }
  return null;
}

function wrongBlock(body: JsonObject, rules: MessagesRules): BrokenRule | null {
  const places: [string, JsonObject][] = objectsOf(body["system"]).map((block, at) => [`system.${at}`, block]);
  for (const [index, message] of objectsOf(body["messages"]).entries()) {
    for (const [at, block] of objectsOf(message["content"]).entries()) {
      places.push([`messages.${index}.content.${at}`, block]);
      objectsOf(block["content"]).forEach((inner, deep) =>
        places.push([`messages.${index}.content.${at}.${textOf(block, "type")}.content.${deep}`, inner]),
      );
    }
  }
  for (const [index, tool] of objectsOf(body["tools"]).entries()) places.push([`tools.${index}`, tool]);
  for (const [place, block] of places) {
    const broken = wrongSource(place, block, rules) ?? wrongCacheControl(place, block);
    if (broken !== null) return broken;
  }
  return null;
}

function wrongSource(place: string, block: JsonObject, rules: MessagesRules): BrokenRule | null {
  const type = textOf(block, "type");
  const source = block["source"];
  if ((type !== "image" && type !== "document") || !isObject(source)) return null;
  const kind = textOf(source, "type");
  if (rules.sources.has(kind)) return null;
  const message = `${place}.${type}.source: Input tag '${kind}' found using 'type' does not match any of the expected tags: ${[...rules.sources].map((tag) => `'${tag}'`).join(", ")}`;
  return { message, isGateways: false };
}

/** Betas put further members into `cache_control`, which clouds refuse by name. */
function wrongCacheControl(place: string, block: JsonObject): BrokenRule | null {
  const control = block["cache_control"];
  if (!isObject(control)) return null;
  const extra = Object.keys(control).find((name) => !CACHE_MEMBERS.has(name));
  if (extra === undefined) return null;
  return { message: `${place}.cache_control.ephemeral.${extra}: Extra inputs are not permitted`, isGateways: true };
}
