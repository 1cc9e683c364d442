/** Text that is markup already. Everything else is escaped when it is put into a template. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What a template takes: texts and numbers are escaped, markup is kept, lists are joined, null is nothing. */
type Part = Markup | string | number | null | readonly Part[];

/** HTML or SVG from a template, with all values escaped: a server's error text must not become markup. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = strings[0] ?? "";
  for (let i = 0; i < parts.length; i++) text += rendered(parts[i] ?? null) + (strings[i + 1] ?? "");
  return new Markup(text);
}

/** Escapes a text for element content and for attributes in double or single quotes. */
function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function rendered(part: Part): string {
  if (part === null) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "string") return escapeText(part);
  if (typeof part === "number") return String(part);
  return part.map(rendered).join("");
}
