import { styleFor, type Style } from "./terminal/style.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Where a command's words go: the result to stdout, in words or as one JSON document; everything else to stderr. */
export class Output {
  readonly isJson: boolean;
  readonly style: Style;
  readonly terminal: Terminal;

  constructor(terminal: Terminal, isJson: boolean) {
    this.terminal = terminal;
    this.isJson = isJson;
    this.style = styleFor(terminal.out.hasColors && !isJson);
  }

  /** Writes the result: `document` with `--json`, else the lines that `text` gives. Once for each command. */
  result(document: object, text: () => readonly string[]): void {
    this.terminal.out.write(
      this.isJson
        ? jsonText(document)
        : text()
            .map((line) => `${line}\n`)
            .join(""),
    );
  }

  /** A word to the person on the way, on stderr. */
  note(text: string): void {
    const style = styleFor(this.terminal.err.hasColors);
    this.terminal.err.write(`${style.dim(text)}\n`);
  }

  /** Something to look at, on stderr. */
  warn(text: string): void {
    const style = styleFor(this.terminal.err.hasColors);
    this.terminal.err.write(`${style.yellow("warning:")} ${text}\n`);
  }
}

/** A JSON document as the command line prints it. */
export function jsonText(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
