/** Something that is put in order by a number, then by its place in the configuration. */
export interface Scored {
  readonly score: number;
  readonly position: number;
}

/** Sorts by score, lowest first, then by position, in place. Insertion: lists are short and often in order already. */
export function sortByScore(items: Scored[]): void {
  for (let i = 1; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) return;
    let at = i;
    for (let before = items[at - 1]; before !== undefined && isAfter(before, item); before = items[at - 1]) {
      items[at] = before;
      at--;
    }
    items[at] = item;
  }
}

function isAfter(a: Scored, b: Scored): boolean {
  return a.score > b.score || (a.score === b.score && a.position > b.position);
}
