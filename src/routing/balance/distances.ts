import type { GeographySettings } from "../settings.ts";
import { zoneOfRegion } from "./zones.ts";

/** Within one region, within one zone, to a target that is everywhere, and to anywhere else when nothing is declared. */
const SAME_REGION = 0;
const SAME_ZONE = 1;
const GLOBAL = 5;
const ELSEWHERE = 10;
const UNKNOWN = 20;

/** Pairs of regions that are remembered, and how long a name may be to be: clients may say whatever they like. */
const MAX_KNOWN = 2_000;
const MAX_NAME_LENGTH = 64;

interface Distance {
  readonly distance: number;
  readonly words: string;
}

/** How far regions are from each other. Made once for a configuration; remembers what it has worked out. */
export class Distances {
  readonly #declared = new Map<string, number>();
  readonly #zones: ReadonlyMap<string, string>;
  /** By client region, then by target region. */
  readonly #known = new Map<string, Map<string, Distance>>();
  #knownPairs = 0;

  constructor(settings: GeographySettings) {
    for (const { from, to, distance } of settings.distances) {
      this.#declared.set(pair(from, to), distance);
      this.#declared.set(pair(to, from), distance);
    }
    this.#zones = new Map(Object.entries(settings.zones).map(([region, zone]) => [region.toLowerCase(), zone]));
  }

  /** From a client's region or zone to a target's; lower is nearer. Unknown ones are farther than any other. */
  between(clientRegion: string | null, targetRegion: string | null): number {
    return this.#find(clientRegion, targetRegion).distance;
  }

  words(clientRegion: string | null, targetRegion: string | null): string {
    return this.#find(clientRegion, targetRegion).words;
  }

  #find(from: string | null, to: string | null): Distance {
    if (from === null) return { distance: UNKNOWN, words: "the client's region is not known" };
    if (to === null) return { distance: UNKNOWN, words: "its region is not known" };
    const known = this.#known.get(from)?.get(to);
    if (known !== undefined) return known;
    const found = this.#measure(from, to);
    if (this.#knownPairs < MAX_KNOWN && from.length <= MAX_NAME_LENGTH) {
      this.#knownPairs++;
      const row = this.#known.get(from) ?? new Map<string, Distance>();
      this.#known.set(from, row.set(to, found));
    }
    return found;
  }

  #measure(from: string, to: string): Distance {
    if (from.toLowerCase() === to.toLowerCase())
      return { distance: SAME_REGION, words: `in the client's region ${to}` };
    const [fromZone, toZone] = [this.#zone(from), this.#zone(to)];
    // The most exact declaration counts: region to region, then with a zone on one side, then zone to zone.
    for (const [a, b] of [
      [from, to],
      [from, toZone],
      [fromZone, to],
      [fromZone, toZone],
    ]) {
      const declared = a === null || b === null ? undefined : this.#declared.get(pair(a ?? "", b ?? ""));
      if (declared !== undefined) {
        return { distance: declared, words: `${to} is ${declared} from ${from} (declared from ${a} to ${b})` };
      }
    }
    if (fromZone !== null && fromZone === toZone) {
      return { distance: SAME_ZONE, words: `${to} is in the client's zone ${fromZone}` };
    }
    if (toZone === "global") return { distance: GLOBAL, words: `${to} serves every region` };
    return { distance: ELSEWHERE, words: `${to} is in another zone than ${from}` };
  }

  #zone(region: string): string | null {
    return this.#zones.get(region.toLowerCase()) ?? zoneOfRegion(region);
  }
}

function pair(from: string, to: string): string {
  return `${from.toLowerCase()}\n${to.toLowerCase()}`;
}
