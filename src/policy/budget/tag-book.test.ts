import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import { TagBook, type TagSettings } from "./tag-book.ts";

const SETTINGS: TagSettings = { allowed: ["search", "billing"], header: "x-weir-tag", unknown: "refuse" };

function bookOf(given: Partial<TagSettings> = {}): TagBook {
  const book = new TagBook({ ...SETTINGS, ...given });
  book.setKeyTags([{ organizationId: "org_1", keyId: "key_fixed", tag: "batch" }]);
  return book;
}

function refusalOf(run: () => unknown): WeirError {
  try {
    run();
  } catch (error) {
    if (error instanceof WeirError) return error;
  }
  throw new Error("not refused");
}

describe("the tag of a request", () => {
  it("is the one that its header names, where that is allowed", () => {
    expect(bookOf().of("key_1", { "x-weir-tag": " search " })).toBe("search");
    expect(bookOf().of("key_1", {})).toBeNull();
    expect(bookOf({ header: "x-project" }).of("key_1", { "x-weir-tag": "search", "x-project": "billing" })).toBe(
      "billing",
    );
  });

  it("is refused with what may be named, and so makes no counter", () => {
    const refusal = refusalOf(() => bookOf().of("key_1", { "x-weir-tag": "made-up" }));

    expect(refusal.row).toMatchObject({ status: 403, type: "permission_error", retry: false });
    expect(refusal.message).toBe(
      "The header x-weir-tag names a project tag that is not allowed: choose one of search, billing.",
    );
  });

  it("is left out instead where the operator wants that", () => {
    expect(bookOf({ unknown: "ignore" }).of("key_1", { "x-weir-tag": "made-up" })).toBeNull();
  });

  it("is the key's own whatever the request says, and the request may not say another", () => {
    expect(bookOf().of("key_fixed", {})).toBe("batch");
    expect(bookOf().of("key_fixed", { "x-weir-tag": "batch" })).toBe("batch");
    expect(bookOf({ unknown: "ignore" }).of("key_fixed", { "x-weir-tag": "search" })).toBe("batch");
    expect(refusalOf(() => bookOf().of("key_fixed", { "x-weir-tag": "search" })).message).toContain("project batch");
  });

  it("is none where no tags are set up, whatever a client sends", () => {
    expect(new TagBook({ ...SETTINGS, allowed: [] }).of("key_1", { "x-weir-tag": "made-up" })).toBeNull();
  });
});

describe("the path of a request with a tag", () => {
  it("ends with the tag in the caller's organisation, and is made once", () => {
    // Of an identity, the book reads its path and organisation alone.
    const identity = {
      path: [{ scope: "organization", id: "org_1" }],
      principal: { organizationId: "org_1" },
    } as unknown as Identity;
    const book = bookOf();
    const path = book.path(identity, "search");

    expect(path).toEqual([
      { scope: "organization", id: "org_1" },
      { scope: "tag", id: "org_1/search" },
    ]);
    expect(book.path(identity, "search")).toBe(path);
    expect(book.path(identity, "billing").at(-1)?.id).toBe("org_1/billing");
  });
});
