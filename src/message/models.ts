/** A Claude model that Weir knows without configuration. */
export interface BuiltinModel {
  readonly id: string;
  readonly label: string;
}

/** The Claude models of November 2026, newest family first. Dated ids resolve to these by `canonicalModel`. */
export const BUILTIN_MODELS: readonly BuiltinModel[] = [
  { id: "claude-fable-5-2", label: "Claude Fable 5.2" },
  { id: "claude-fable-5-1", label: "Claude Fable 5.1" },
  { id: "claude-fable-5", label: "Claude Fable 5" },
  { id: "claude-mythos-5-1", label: "Claude Mythos 5.1" },
  { id: "claude-opus-5-5", label: "Claude Opus 5.5" },
  { id: "claude-opus-5", label: "Claude Opus 5" },
  { id: "claude-opus-4-8", label: "Claude Opus 4.8" },
  { id: "claude-opus-4-7", label: "Claude Opus 4.7" },
  { id: "claude-opus-4-6", label: "Claude Opus 4.6" },
  { id: "claude-opus-4-5", label: "Claude Opus 4.5" },
  { id: "claude-sonnet-5-5", label: "Claude Sonnet 5.5" },
  { id: "claude-sonnet-5", label: "Claude Sonnet 5" },
  { id: "claude-sonnet-4-6", label: "Claude Sonnet 4.6" },
  { id: "claude-sonnet-4-5", label: "Claude Sonnet 4.5" },
  { id: "claude-haiku-5-5", label: "Claude Haiku 5.5" },
  { id: "claude-haiku-4-5", label: "Claude Haiku 4.5" },
];

const BUILTIN_IDS: ReadonlySet<string> = new Set(BUILTIN_MODELS.map((model) => model.id));

/**
 * The built-in model behind any spelling of its id, or null. Understands dated ids (`-20250929`), Vertex (`@20250929`),
 * Bedrock with or without region and version (`us.anthropic.claude-…-v1:0`), provider prefixes (`vertex_ai/…`), the
 * context suffix that Claude Code shows (`[1m]`), `-latest`, and any case.
 */
export function canonicalModel(id: string): string | null {
  if (BUILTIN_IDS.has(id)) return id;
  const start = id.toLowerCase().lastIndexOf("claude-");
  if (start < 0) return null;
  const bare = id
    .toLowerCase()
    .slice(start)
    .replace(/\[[^\]]*\]$/, "")
    .replace(/(?:-v\d+)?(?::\d+)?$/, "")
    .replace(/[-@](?:20\d{6}|latest)$/, "");
  return BUILTIN_IDS.has(bare) ? bare : null;
}

/** Whether `id` matches `pattern`, where `*` stands for any run of characters. Case-insensitive. */
export function matchesModel(pattern: string, id: string): boolean {
  const parts = pattern.toLowerCase().split("*");
  const text = id.toLowerCase();
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
