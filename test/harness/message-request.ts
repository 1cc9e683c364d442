/** The body of an ordinary Messages request, with fields replaced or added. */
export function messageBody(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    model: "claude-sonnet-5-5",
    max_tokens: 64,
    messages: [{ role: "user", content: "Say hello." }],
    ...changes,
  };
}

/** The headers that a client sends with a Messages request. */
export function messageHeaders(key: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { "x-api-key": key, "content-type": "application/json", "anthropic-version": "2023-06-01", ...more };
}
