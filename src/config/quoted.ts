const MAX_LENGTH = 60;

/**
 * A text in quotes, as far as it may be shown: to the first white space. YAML takes further lines into a text that is not
 * quoted, and those may be a secret that slipped.
 */
export function quoted(text: string): string {
  const [word = ""] = text.split(/\s/, 1);
  const shown = word.length > MAX_LENGTH ? word.slice(0, MAX_LENGTH - 3) : word;
  return JSON.stringify(shown === text ? text : `${shown}...`);
}
