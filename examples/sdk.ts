/**
 * Weir with Anthropic's SDK: only base URL and key differ. Needs ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN, which the SDK reads
 * by itself. Run with: node examples/sdk.ts (Node 24 or newer; in a checkout node_modules/.bin/node).
 */
import Anthropic, { APIError } from "@anthropic-ai/sdk";

const client = new Anthropic();

const stream = client.messages.stream({
  model: "claude-haiku-4-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "What is a weir?" }],
});
stream.on("text", (text) => process.stdout.write(text));
const message = await stream.finalMessage();
process.stdout.write(`\n\n${message.usage.input_tokens} tokens in, ${message.usage.output_tokens} out\n`);

try {
  await client.messages.create({
    model: "no-such-model",
    max_tokens: 10,
    messages: [{ role: "user", content: "Hello" }],
  });
} catch (error) {
  if (!(error instanceof APIError)) throw error;
  process.stdout.write(`refused as it should be: ${error.message}\n`);
}
