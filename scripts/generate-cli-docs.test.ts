import { describe, expect, it } from "vitest";

import { cliDoc } from "./generate-cli-docs.ts";

describe("the generator of the command line's reference page", () => {
  it("gives every command a section with its usage, options and examples", () => {
    const { content } = cliDoc();
    expect(content).toContain("## weir keys rotate\n");
    expect(content).toContain(
      "| `--overlap <span>` | How long the old key still works: 24h, 7d, or 0. Default: `24h`. |",
    );
    expect(content).toMatch(/## weir claude\n[\s\S]+weir claude \[options\] \[args\.\.\.\]/);
    expect(content).toContain("$ weir keys rotate laptop");
    expect(content).toContain("| 3 | what is needed cannot be reached or opened");
  });

  it("links only to sections that exist", () => {
    const { content } = cliDoc();
    const anchors = new Set(
      [...content.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase().replaceAll(" ", "-")),
    );
    for (const [, anchor = ""] of content.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});
