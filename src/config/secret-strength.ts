/** Why a secret is too weak to rely on. */
export type Weakness = "empty" | "placeholder" | "short" | "repetitive";

/** Words that stand for "put your secret here", or that everybody tries first. Compared without case and punctuation. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  "admin",
  "apikey",
  "changeit",
  "changeme",
  "default",
  "dummy",
  "example",
  "foobar",
  "letmein",
  "mysecret",
  "password",
  "placeholder",
  "postgres",
  "replaceme",
  "secret",
  "test",
  "todo",
  "token",
  "weir",
  "youranthropicapikey",
  "yourapikey",
  "yourkey",
  "yourpassword",
  "yoursecret",
]);

/**
 * What makes a secret weak, or null. `minBytes` is the least length in UTF-8 bytes. A placeholder is recognised also with
 * digits behind it and repeated (`changeme123`, `secretsecret`); fewer than six different characters are `repetitive`.
 */
export function weaknessOf(secret: string, minBytes: number): Weakness | null {
  const trimmed = secret.trim();
  if (trimmed === "") return "empty";
  if (isPlaceholder(trimmed)) return "placeholder";
  if (Buffer.byteLength(trimmed, "utf8") < minBytes) return "short";
  return new Set(trimmed).size < 6 ? "repetitive" : null;
}

function isPlaceholder(secret: string): boolean {
  const plain = secret
    .toLowerCase()
    .replace(/^(sk-ant-|sk-)/, "")
    .replaceAll(/[^a-z0-9]/g, "")
    .replace(/\d+$/, "");
  if (plain === "") return false;
  if (/^x+$/.test(plain)) return true;
  const [word] = [...PLACEHOLDERS].filter((word) => plain.length % word.length === 0 && plain.startsWith(word));
  return word !== undefined && plain === word.repeat(plain.length / word.length);
}

/** A phrase for each weakness, to follow "the secret". */
export const WEAKNESS_TEXT: Readonly<Record<Weakness, string>> = {
  empty: "is empty",
  placeholder: "is a placeholder that everybody knows",
  short: "is too short",
  repetitive: "has too few different characters",
};
