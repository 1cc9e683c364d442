/** Text in base64 that is longer than this is an image or a document: no tokens of text, whatever its length. */
const BASE64 = /[A-Za-z0-9+/=]{4096,}/g;
/** How the base64 of a PDF begins (`%PDF-`). */
const PDF = "JVBERi0";
/** What the provider scales images down to costs about so much at most. */
const IMAGE_TOKENS = 1_600;
/** Pages cost both their text and their picture; how many there are can only be guessed from the size. */
const PDF_BYTES_PER_PAGE = 50_000;
const TOKENS_PER_PAGE = 2_500;
/** JSON-wrapped text, as measured over prompts of coding agents. */
const BYTES_PER_TOKEN = 3.5;

/** Tokens of a Messages request, guessed from its bytes: for where nobody can be asked. Mostly within a fifth for text. */
export function estimateCount(body: Buffer): number {
  let textBytes = body.length;
  let tokens = 0;
  for (const [data] of body.toString("latin1").matchAll(BASE64)) {
    textBytes -= data.length;
    tokens += data.startsWith(PDF) ? pages(data.length * 0.75) * TOKENS_PER_PAGE : IMAGE_TOKENS;
  }
  return tokens + Math.ceil(textBytes / BYTES_PER_TOKEN);
}

function pages(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / PDF_BYTES_PER_PAGE));
}
