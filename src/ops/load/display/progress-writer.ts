import type { LoadProgress } from "../progress.ts";
import { LABEL_WIDTH, progressFrame, progressLine } from "./progress-frame.ts";

/** Where progress is written: a terminal or a log. */
interface ProgressOutput {
  readonly isTTY: boolean;
  readonly hasColors: boolean;
  /** Width of the terminal, read anew for each frame. */
  columns(): number;
  write(text: string): void;
}

const LINE_EVERY_MS = 5000;
const UP_AND_CLEAR = (lines: number): string => (lines === 0 ? "" : `\u001B[${lines}A\r\u001B[0J`);
const DIM = (text: string): string => `\u001B[2m${text}\u001B[22m`;
const RED = (text: string): string => `\u001B[31m${text}\u001B[39m`;

/** Shows progress: redrawn in place on a terminal, now and then a line in a log. */
export class ProgressWriter {
  readonly #output: ProgressOutput;
  #headLines = 0;
  #drawnLines = 0;
  #nextLineMs = 0;
  #phase: LoadProgress["phase"] | null = null;

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** Writes what stands above the progress while it is shown. */
  head(lines: readonly string[]): void {
    const { isTTY } = this.#output;
    const fitting = isTTY ? lines.map((line) => line.slice(0, this.#width())) : lines;
    this.#output.write(`${fitting.join("\n")}\n`);
    if (isTTY) this.#headLines += lines.length;
  }

  show(progress: LoadProgress): void {
    if (this.#output.isTTY) this.#draw(progress);
    else this.#log(progress);
  }

  /** Writes a line that stays, above the progress that follows. */
  note(line: string): void {
    this.#remove(this.#drawnLines);
    this.#output.write(`${line}\n`);
    this.#headLines = 0;
  }

  /** Removes all that was drawn, so that the result, which says it all again, can take its place. */
  finish(): void {
    this.#remove(this.#headLines + this.#drawnLines);
    this.#headLines = 0;
  }

  #remove(lines: number): void {
    if (lines > 0) this.#output.write(UP_AND_CLEAR(lines));
    this.#drawnLines = 0;
  }

  /** One column less than there are: a full line would wrap, and the next frame be drawn in the wrong place. */
  #width(): number {
    return Math.max(20, this.#output.columns() - 1);
  }

  #draw(progress: LoadProgress): void {
    const frame = progressFrame(progress, this.#width());
    const lines = frame.map((line, i) => this.#coloured(line, i === frame.length - 1 && progress.failed > 0));
    // One write for clearing and drawing, else it flickers.
    this.#output.write(`${UP_AND_CLEAR(this.#drawnLines)}${lines.join("\n")}\n`);
    this.#drawnLines = lines.length;
  }

  #coloured(line: string, alarming: boolean): string {
    if (!this.#output.hasColors) return line;
    return alarming ? RED(line) : DIM(line.slice(0, LABEL_WIDTH)) + line.slice(LABEL_WIDTH);
  }

  #log(progress: LoadProgress): void {
    const changed = progress.phase !== this.#phase;
    if (!changed && progress.elapsedMs < this.#nextLineMs) return;
    this.#phase = progress.phase;
    this.#nextLineMs = (Math.floor(progress.elapsedMs / LINE_EVERY_MS) + 1) * LINE_EVERY_MS;
    this.#output.write(`${progressLine(progress)}\n`);
  }
}
