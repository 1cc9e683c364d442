import type { BetaRule, CloudRules, FieldRule, ToolRule } from "./feature-rule.ts";
import { jsonPath, type JsonPath } from "./json-path.ts";

/** A rule on a field below the top level, with the way to it. */
export interface NestedRule {
  readonly rule: FieldRule;
  /** The member of the top level that it lies in. */
  readonly top: string;
  readonly path: JsonPath;
}

/** A cloud's rules, ordered for look-ups. */
export class RuleBook {
  readonly platform: string;
  readonly tools: readonly ToolRule[];
  /**
   * One of these stands in every body that has such a tool. They begin with a rare letter and are short: found twenty times
   * faster than the types.
   */
  readonly toolMarks: readonly string[];
  readonly nested: readonly NestedRule[];
  readonly #fields = new Map<string, FieldRule>();
  readonly #betas = new Map<string, BetaRule>();
  readonly #fieldsOfBeta = new Map<string, FieldRule[]>();
  readonly #countedBetas: ReadonlySet<string>;

  constructor(rules: CloudRules) {
    this.platform = rules.platform;
    this.tools = rules.tools;
    this.toolMarks = [...new Set(rules.tools.map(({ type }) => type.slice(type.lastIndexOf("_")).slice(0, 5)))];
    this.#countedBetas = new Set(rules.countedBetas);
    const nested: NestedRule[] = [];
    for (const rule of rules.fields) {
      const [top = "", ...path] = jsonPath(rule.field);
      if (path.length > 0) nested.push({ rule, top, path });
      else this.#fields.set(top, rule);
      for (const beta of rule.betas) this.#fieldsOfBeta.set(beta, [...this.fieldsOfBeta(beta), rule]);
    }
    this.nested = nested;
    for (const rule of rules.betas) this.#betas.set(rule.beta, rule);
  }

  field(key: string): FieldRule | undefined {
    return this.#fields.get(key);
  }

  beta(beta: string): BetaRule | undefined {
    return this.#betas.get(beta);
  }

  /** The rules of the fields that a beta belongs to. */
  fieldsOfBeta(beta: string): readonly FieldRule[] {
    return this.#fieldsOfBeta.get(beta) ?? [];
  }

  isCounted(beta: string): boolean {
    return this.#countedBetas.has(beta);
  }
}
