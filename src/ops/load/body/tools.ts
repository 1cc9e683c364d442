import type { Random } from "../random.ts";
import { sentence } from "./prose.ts";

/** Fifteen tools such as a coding agent offers, by name, purpose and the names of their string parameters. */
const TOOLS: readonly (readonly [name: string, purpose: string, parameters: readonly string[]])[] = [
  ["read_file", "Read a file", ["path", "from_line", "line_count"]],
  ["write_file", "Write a file", ["path", "text"]],
  ["edit_file", "Replace text", ["path", "old_text", "new_text"]],
  ["list_folder", "List a folder", ["path", "pattern"]],
  ["find_files", "Find by name", ["pattern", "root"]],
  ["search_text", "Search by content", ["expression", "root", "glob"]],
  ["run_command", "Run a command", ["command", "purpose", "timeout_ms"]],
  ["read_output", "Read its output", ["task_id"]],
  ["stop_command", "Stop it", ["task_id"]],
  ["fetch_page", "Fetch a page", ["url", "question"]],
  ["search_web", "Search the web", ["query"]],
  ["plan_steps", "Note the plan", ["steps"]],
  ["ask_person", "Ask the person", ["question", "choices"]],
  ["start_agent", "Hand over a task", ["task", "kind"]],
  ["edit_notebook", "Edit a cell", ["path", "cell", "text"]],
];

/** Tool definitions: terse ones where the body must stay small, else with descriptions and schemas of a realistic length. */
export function toolDefinitions(terse: boolean, random: Random): readonly object[] {
  return TOOLS.map(([name, purpose, parameters], index) => {
    if (terse) return { name, input_schema: { type: "object" } };
    const properties = Object.fromEntries(
      parameters.map((key) => [key, { type: "string", description: sentence(random) }]),
    );
    return {
      name,
      description: `${purpose}. ${Array.from({ length: 3 }, () => sentence(random)).join(" ")}`,
      input_schema: { type: "object", properties, required: parameters.slice(0, 1), additionalProperties: false },
      // The provider caches everything up to a marked block, so the last tool carries the mark.
      ...(index === TOOLS.length - 1 ? { cache_control: { type: "ephemeral" } } : {}),
    };
  });
}

/** The name of some tool, for a call in the history. */
export function someTool(random: Random): string {
  return TOOLS[random.nextUint32() % TOOLS.length]?.[0] ?? "read_file";
}
