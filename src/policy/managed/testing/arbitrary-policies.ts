import * as fc from "fast-check";

import type { SettingsDocument } from "../settings-document.ts";

const word = fc.constantFrom("Edit", "Write", "Glob", "Read", "Bash", "WebFetch");
const words = fc.array(word, { maxLength: 4 });
const record = fc.dictionary(fc.constantFrom("A", "B", "C", "10", "9"), word, { maxKeys: 3, noNullPrototype: true });
const servers = fc.array(
  fc.constantFrom("x", "y", "z").map((serverName) => ({ serverName })),
  { maxLength: 3 },
);
const hook = fc.record(
  { matcher: word, hooks: fc.array(word.map((command) => ({ type: "command", command }))) },
  { noNullPrototype: true },
);
const hooks = fc.array(hook, { maxLength: 2 });
const models = fc.array(fc.constantFrom("opus", "sonnet", "claude-opus-4-8", "claude-haiku-4-5", "claude-sonnet-5"), {
  maxLength: 3,
});

/** Claude Code settings of which every key is valid, few enough that base and policy often meet. For tests. */
export const arbitrarySettings: fc.Arbitrary<SettingsDocument> = fc.record(
  {
    availableModels: models,
    enforceAvailableModels: fc.boolean(),
    model: word,
    cleanupPeriodDays: fc.integer({ min: 1, max: 99 }),
    permissions: fc.record(
      {
        allow: words,
        deny: words,
        ask: words,
        additionalDirectories: words,
        defaultMode: fc.constantFrom("plan", "default"),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    env: record,
    modelOverrides: record,
    skillOverrides: fc.dictionary(word, fc.constantFrom("on", "off"), { maxKeys: 2, noNullPrototype: true }),
    hooks: fc.record(
      { PostToolUse: hooks, PreToolUse: hooks, Stop: hooks },
      { requiredKeys: [], noNullPrototype: true },
    ),
    deniedMcpServers: servers,
    allowedMcpServers: servers,
    disabledMcpjsonServers: words,
    enabledMcpjsonServers: words,
    companyAnnouncements: words,
    sandbox: fc.record(
      {
        enabled: fc.boolean(),
        network: fc.record({ allowedDomains: words }, { requiredKeys: [], noNullPrototype: true }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    statusLine: word.map((command) => ({ type: "command", command })),
    enabledPlugins: fc.dictionary(fc.constantFrom("p@m", "q@m"), fc.boolean(), { maxKeys: 2, noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Claude Desktop settings that Weir and Anthropic's gateway both take. For tests. */
export const arbitraryDesktop: fc.Arbitrary<SettingsDocument> = fc.record(
  {
    disabledBuiltinTools: fc.array(word, { minLength: 1, maxLength: 3 }),
    builtinToolPolicy: fc.dictionary(fc.constantFrom("Bash", "Edit", "Read"), fc.constantFrom("allow", "ask"), {
      minKeys: 1,
      noNullPrototype: true,
    }),
    coworkEgressAllowedHosts: fc.array(fc.constantFrom("a.example.com", "b.example.com"), {
      minLength: 1,
      maxLength: 2,
    }),
    disableAutoUpdates: fc.boolean(),
    banner: fc.record(
      { text: fc.constantFrom("one", "two"), backgroundColor: fc.constant("#ff0000") },
      { requiredKeys: ["text"], noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);
