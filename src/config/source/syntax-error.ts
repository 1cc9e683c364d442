import type { YAMLParseError, YAMLWarning } from "yaml";

/**
 * What a YAML error means and what to do. Our own words for each code: the parser's message may quote the text, and the
 * text may be a secret.
 */
export function explainSyntaxError(
  error: YAMLParseError | YAMLWarning,
  text: string,
): { code: string; message: string; fix: string } {
  if (error.code === "DUPLICATE_KEY") {
    return {
      code: "duplicate_key",
      message: "this key is written twice in the same map",
      fix: "Keep one of the two; merge their contents if both are wanted.",
    };
  }
  if (isUnquotedReference(text, error.pos[0])) {
    return {
      code: "yaml_syntax",
      message: "a `${…}` inside { } or [ ] must be in quotes, because YAML reads its brace as a map",
      fix: 'Write "${VAR}" with quotes here.',
    };
  }
  const known = isUnclosedFlow(error) ? "MISSING_CHAR" : error.code;
  const [message, fix] = EXPLANATIONS[known] ?? UNEXPLAINED;
  return { code: "yaml_syntax", message, fix };
}

const UNEXPLAINED: readonly [string, string] = [
  "this is not valid YAML",
  "Check the quotes, brackets and indentation of this line and of the one before it.",
];

const EXPLANATIONS: Readonly<Partial<Record<string, readonly [string, string]>>> = {
  TAB_AS_INDENT: ["a tab is used to indent", "Indent with spaces; YAML does not allow tabs."],
  MISSING_CHAR: ["a quote or bracket that was opened is not closed", "Close it, before this position."],
  BAD_INDENT: ["the indentation does not match the lines above", "Give keys of one map the same indentation."],
  MULTIPLE_DOCS: ["the file holds more than one YAML document", "Remove the `---` and what follows it."],
  BLOCK_AS_IMPLICIT_KEY: [
    "a second `key:` stands on the same line",
    "Put it on a line of its own, or put the value in quotes if the colon belongs to it.",
  ],
  BAD_SCALAR_START: ["plain text cannot begin with this character", "Put the value in quotes."],
  BAD_DQ_ESCAPE: ["an unknown `\\` escape in double quotes", "Use single quotes, or write the backslash twice."],
  TAG_RESOLVE_FAILED: [
    "a value that begins with `!` is read as a YAML tag, and Weir uses none",
    "If the value is text that begins with `!`, put it in quotes.",
  ],
};

/** The parser calls a `{` or `[` that is never closed a mistake of indentation, except at the top of the file. */
function isUnclosedFlow(error: YAMLParseError | YAMLWarning): boolean {
  return error.code === "BAD_INDENT" && /\bend with a [\]}]/.test(error.message);
}

/** Whether the parser stumbled at the brace of a `${`. */
function isUnquotedReference(text: string, offset: number): boolean {
  return text.slice(Math.max(0, offset - 2), offset + 2).includes("${");
}
