import { WeirError } from "../../core/weir-error.ts";
import type { CanonicalRequest, WireWarning } from "../codec.ts";
import type { Member } from "../json/json-scan.ts";
import { placeCacheBreakpoint } from "./automatic-cache.ts";
import { BodyEdit, memberOf, valueOf } from "./body-edit.ts";
import type { FieldRule } from "./feature-rule.ts";
import { findMembers } from "./json-path.ts";
import { backsField } from "./refused-betas.ts";
import type { RuleBook } from "./rule-book.ts";

/** A canonical request on its way to a cloud's Claude endpoint; what the envelope needs is still to be put in. */
export interface AdaptedRequest {
  readonly edit: BodyEdit;
  readonly betas: readonly string[];
  readonly warnings: WireWarning[];
}

/**
 * Takes out of a request what the endpoint does not take, field and beta together, each with a warning; throws WeirError
 * naming what cannot be left out. Also takes out what belongs to the envelope: `anthropic_version`, `anthropic_beta`.
 */
export function adaptRequest(request: CanonicalRequest, book: RuleBook): AdaptedRequest {
  const edit = new BodyEdit(request.body, request.scan.members);
  const adaptation = new Adaptation(request, book, edit);
  adaptation.fields();
  adaptation.tools();
  const betas = adaptation.betas();
  edit.remove("anthropic_version");
  edit.remove("anthropic_beta");
  return { edit, betas, warnings: adaptation.warnings };
}

class Adaptation {
  readonly warnings: WireWarning[] = [];
  readonly #request: CanonicalRequest;
  readonly #members: readonly Member[];
  readonly #book: RuleBook;
  readonly #edit: BodyEdit;
  readonly #asked: ReadonlySet<string>;
  /** Rules whose field was taken out: their betas go with it. */
  readonly #applied = new Set<FieldRule>();

  constructor(request: CanonicalRequest, book: RuleBook, edit: BodyEdit) {
    this.#request = request;
    this.#members = request.scan.members;
    this.#book = book;
    this.#edit = edit;
    this.#asked = betasOf(request);
  }

  fields(): void {
    for (const member of this.#members) {
      const rule = this.#book.field(member.key);
      if (rule !== undefined) this.#topLevel(rule, member);
    }
    this.#outputFormat();
    placeCacheBreakpoint(this.#request.body, this.#members, this.#edit);
    this.#nested();
  }

  #topLevel(rule: FieldRule, member: Member): void {
    const json = this.#request.body.toString("utf8", member.valueStart, member.valueEnd);
    if (json !== "null" && rule.harmless?.(json, this.#request.upstreamModel) !== true) {
      if (rule.action === "refuse") throw this.#refusal(rule.field, rule.why);
      this.#warn(rule.field, rule.why);
    }
    this.#applied.add(rule);
    this.#edit.remove(member.key);
  }

  /** `output_format` is the old name of `output_config.format`, which alone both clouds take. */
  #outputFormat(): void {
    const old = memberOf(this.#members, "output_format");
    if (old === undefined) return;
    if (this.#request.body.toString("utf8", old.valueStart, old.valueEnd) === "null") {
      this.#edit.remove("output_format");
      return;
    }
    if (memberOf(this.#members, "output_config") !== undefined) {
      throw this.#refusal("output_format", "It is the old name of output_config.format; send that alone.");
    }
    this.#edit.replace(old.keyStart, old.valueStart, '"output_config":{"format":');
    this.#edit.replace(old.valueEnd, old.valueEnd, "}");
  }

  /** Looks into the body below its top level for what a beta that has to go brings with it, and only then. */
  #nested(): void {
    const concerned = this.#book.nested.filter(
      ({ rule }) => this.#asksOne(rule.betas) && !this.#asksOne(rule.takenWith ?? []),
    );
    if (concerned.length === 0) return;
    const text = this.#request.body.toString("latin1");
    for (const { rule, top, path } of concerned) {
      const member = memberOf(this.#members, top);
      if (member === undefined) continue;
      const found = findMembers(text, { at: member.valueStart, label: top, paths: [path] });
      for (const { path } of found.members) {
        if (rule.action === "refuse") throw this.#refusal(path, rule.why);
        this.#warn(path, rule.why);
        this.#applied.add(rule);
      }
      for (const { start, end } of found.cuts) this.#edit.replace(start, end, "");
    }
  }

  #asksOne(betas: readonly string[]): boolean {
    return betas.some((beta) => this.#asked.has(beta));
  }

  /** Tools that run at the first party's: their types stand nowhere else, so a search tells whether to look closer. */
  tools(): void {
    const member = memberOf(this.#members, "tools");
    if (member === undefined) return;
    const text = this.#request.body.subarray(member.valueStart, member.valueEnd);
    if (!this.#book.toolMarks.some((mark) => text.includes(mark))) return;
    const suspects = this.#book.tools.filter(({ type }) => text.includes(type));
    if (suspects.length === 0) return;
    const tools: unknown = valueOf(this.#request.body, this.#members, "tools");
    if (!Array.isArray(tools)) return;
    tools.forEach((tool: unknown, index) => {
      const type = typeof tool === "object" && tool !== null && "type" in tool ? tool.type : null;
      const rule = typeof type === "string" ? suspects.find((suspect) => type.startsWith(suspect.type)) : undefined;
      if (rule !== undefined) throw this.#refusal(`tools[${index}].type: ${String(type)}`, rule.why);
    });
  }

  /** The betas that go with the request. */
  betas(): string[] {
    const sent = new Set<string>();
    for (const beta of this.#asked) {
      const [field, ...others] = this.#book.fieldsOfBeta(beta);
      const rule = this.#book.beta(beta);
      if (field !== undefined) {
        // Its field's warning speaks for both; a beta without its field is idle, but said to be gone all the same.
        const told = [field, ...others].some((each) => this.#applied.has(each));
        if (!told) this.#warn(`anthropic-beta: ${beta}`, field.why);
      } else if (rule === undefined) {
        sent.add(beta);
      } else {
        if (rule.becomes.length === 0) this.#warn(`anthropic-beta: ${beta}`, rule.why);
        for (const name of rule.becomes) sent.add(name);
      }
    }
    for (const beta of this.#request.refusedBetas ?? []) {
      if (!sent.has(beta) || backsField(beta, this.#request.body)) continue;
      sent.delete(beta);
      this.#warn(`anthropic-beta: ${beta}`, "It has refused it of this model before.");
    }
    return [...sent];
  }

  #warn(field: string, why: string): void {
    this.warnings.push({ field, message: `is not taken by ${this.#book.platform} and was left out. ${why}` });
  }

  #refusal(field: string, why: string): WeirError {
    return new WeirError("weir:request:unsupported_feature", `${field} is not taken by ${this.#book.platform}. ${why}`);
  }
}

/** Those of the header and those that a body names in `anthropic_beta`, each once, in their order. */
function betasOf(request: CanonicalRequest): ReadonlySet<string> {
  const inBody = valueOf(request.body, request.scan.members, "anthropic_beta");
  const named = Array.isArray(inBody) ? inBody.filter((beta): beta is string => typeof beta === "string") : [];
  const betas = [...request.betas, ...named].map((beta) => beta.trim());
  return new Set(betas.filter((beta) => beta !== ""));
}
