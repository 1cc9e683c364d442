import { didYouMean } from "../../config/did-you-mean.ts";
import type { DirectorySnapshot, OrganizationRecord } from "../../store/ports/directory.ts";
import { CliError } from "../cli-error.ts";
import { printable } from "../terminal/text-width.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What kind of record is looked for, for messages, and the option or argument that named it. */
export interface Sought {
  readonly kind: "organisation" | "team" | "user" | "key";
  readonly remedy: string;
}

/** Texts by which a record may be called besides its id and name. */
type Aliases<T> = (record: T) => readonly (string | null)[];

/**
 * The record that `wanted` names: by id, else by name or alias, letter by letter, else in any case. Null when there is
 * none. Throws CliError `ambiguous` with the candidates when there are several.
 */
export function findRecord<T extends Named>(
  records: readonly T[],
  wanted: string,
  options: { readonly sought: Sought; readonly aliases?: Aliases<T> },
): T | null {
  const found = matching(records, wanted, options.aliases);
  if (found.length > 1) throw ambiguous(wanted, found, options.sought);
  return found[0] ?? null;
}

/** As `findRecord`, but throws CliError `not_found` with what was probably meant when there is none. */
export function requireRecord<T extends Named>(
  records: readonly T[],
  wanted: string,
  options: { readonly sought: Sought; readonly aliases?: Aliases<T> },
): T {
  const found = findRecord(records, wanted, options);
  if (found !== null) return found;
  throw notFound(
    wanted,
    records.map(({ name }) => name),
    options.sought,
  );
}

/** The error for a name that names nothing. */
export function notFound(wanted: string, names: readonly string[], { kind, remedy }: Sought): CliError {
  const distinct = [...new Set(names)];
  const part = wanted.toLowerCase();
  const containing = distinct.filter((name) => part.length > 2 && name.toLowerCase().includes(part));
  const similar = [...new Set([...didYouMean(wanted, distinct), ...containing])].slice(0, 3);
  const hint = similar.length === 0 ? "" : `Did you mean ${similar.map(quoted).join(" or ")}? `;
  return new CliError("not_found", `there is no ${kind} ${quoted(wanted)}`, {
    remedy: hint + remedy,
    details: { kind, wanted, did_you_mean: similar },
  });
}

/** The organisation that a command is about: the named one, or the only one. */
export function requireOrganization(snapshot: DirectorySnapshot, wanted: string | undefined): OrganizationRecord {
  const { organizations } = snapshot;
  if (organizations.length === 0) {
    throw new CliError("unavailable", "there is no organisation in the database yet", {
      remedy: "Start Weir once (`weir serve`): it creates the first organisation and a key.",
    });
  }
  const names = organizations.map(({ name }) => quoted(name)).join(", ");
  const sought: Sought = { kind: "organisation", remedy: `There are: ${names}.` };
  if (wanted !== undefined) return requireRecord(organizations, wanted, { sought });
  const [only, second] = organizations;
  if (only !== undefined && second === undefined) return only;
  throw new CliError(
    "ambiguous",
    `there are ${organizations.length} organisations, and the command does not say which`,
    {
      remedy: `Add --org with one of: ${names}.`,
      details: { candidates: organizations.map(({ id, name }) => ({ id, name })) },
    },
  );
}

/** A name between quotes, safe to print. */
export function quoted(name: string): string {
  return `"${printable(name)}"`;
}

function matching<T extends Named>(records: readonly T[], wanted: string, aliases: Aliases<T> = () => []): T[] {
  const byId = records.filter(({ id }) => id === wanted);
  if (byId.length > 0) return byId;
  const called = (record: T): (string | null)[] => [record.name, ...aliases(record)];
  const exact = records.filter((record) => called(record).includes(wanted));
  if (exact.length > 0) return exact;
  const lower = wanted.toLowerCase();
  return records.filter((record) => called(record).some((name) => name?.toLowerCase() === lower));
}

function ambiguous(wanted: string, found: readonly Named[], { kind }: Sought): CliError {
  const candidates = found.map(({ id, name }) => ({ id, name }));
  const list = candidates.map(({ id, name }) => `  ${id}  ${printable(name)}`).join("\n");
  return new CliError("ambiguous", `${quoted(wanted)} may be any of ${found.length} ${kind}s:\n${list}`, {
    remedy: "Give the id of the one that you mean.",
    details: { kind, wanted, candidates },
  });
}
