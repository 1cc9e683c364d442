import { canonicalModel } from "../../message/models.ts";

/** Words that stand for every model of a family. */
const FAMILIES: readonly string[] = ["opus", "sonnet", "haiku", "fable", "mythos"];

/**
 * Which models `availableModels` of a policy allows. An entry is a family (`sonnet`), the beginning of an id up to a dash
 * (`claude-opus-4`, also without `claude-`), or an id in any spelling. A family stands back for entries that name some of its
 * models: with `opus` and `claude-opus-5`, of the Opus models only that one is allowed.
 */
export class ModelAllowlist {
  /** As the policy has them, for messages. */
  readonly entries: readonly string[];
  readonly #families: readonly string[];
  readonly #names: readonly string[];
  readonly #known = new Map<string, boolean>();

  constructor(entries: readonly string[]) {
    this.entries = entries;
    const normal = entries.map(normalName);
    this.#names = normal.filter((name) => !FAMILIES.includes(name));
    this.#families = FAMILIES.filter(
      (family) => normal.includes(family) && !this.#names.some((name) => name.includes(family)),
    );
  }

  /** Whether a model is allowed, by the name under which Weir lists it. */
  allows(model: string): boolean {
    const known = this.#known.get(model);
    if (known !== undefined) return known;
    const allowed = this.#decide(normalName(model));
    // Callers choose the names: as many as there are models, and not more.
    if (this.#known.size < 1_000) this.#known.set(model, allowed);
    return allowed;
  }

  #decide(model: string): boolean {
    const names = [model, canonicalModel(model) ?? model];
    if (this.#families.some((family) => names.some((name) => name.includes(family)))) return true;
    return this.#names.some((entry) => names.some((name) => covers(entry, name)));
  }
}

function covers(entry: string, model: string): boolean {
  if (model === entry || model.startsWith(`${entry}-`)) return true;
  if (model === `claude-${entry}` || model.startsWith(`claude-${entry}-`)) return true;
  return canonicalModel(entry) === model;
}

/** In any case, and without the mark of the long context, which is the same model. */
function normalName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/\[[^\]]*\]$/, "");
}
