import type { Logger } from "../../core/logger.ts";
import type { JournalCorruption, JournalPosition } from "./journal.ts";
import { comparePositions } from "./position.ts";

/** The damage known in this journal, in the order of its places. */
export class Damages {
  readonly #logger: Logger;
  #found: JournalCorruption[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get first(): JournalCorruption | null {
    return this.#found[0] ?? null;
  }

  /** Notes damage and reports it loudly, once a place. */
  add(corruption: JournalCorruption): void {
    if (this.#found.some((known) => comparePositions(known, corruption) === 0)) return;
    this.#found.push(corruption);
    this.#found.sort(comparePositions);
    const { file, offset, resumeAt, reason } = corruption;
    this.#logger.error(
      { file, offset, resumeAt, reason },
      "the journal is damaged: shipping stops before it, the file is kept as it is, new records go to a new segment",
    );
  }

  /** The damage that `position` lies in. */
  at(position: JournalPosition): JournalCorruption | null {
    return (
      this.#found.find(
        (known) => comparePositions(known, position) <= 0 && comparePositions(position, known.resumeAt) < 0,
      ) ?? null
    );
  }

  /** Where reading from `position` must end in its segment, if damage lies ahead there. */
  limitAfter(position: JournalPosition): number | null {
    const ahead = this.#found.find(
      (known) => known.segment === position.segment && comparePositions(position, known) < 0,
    );
    return ahead === undefined ? null : ahead.offset;
  }
}
