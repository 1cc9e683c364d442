import { describe, expect, it } from "vitest";

import { readListQuery } from "./list-query.ts";

describe("the query of a list", () => {
  it("has defaults", () => {
    expect(readListQuery("batch", "/v1/messages/batches")).toEqual({
      limit: 20,
      afterId: null,
      beforeId: null,
      ids: null,
      rest: "",
    });
  });

  it("keeps what is not about paging for the upstream", () => {
    const query = readListQuery("batch", "/v1/messages/batches?beta=true&limit=3&after_id=a&before_id=b&x=1%202");
    expect(query).toEqual({ limit: 3, afterId: "a", beforeId: "b", ids: null, rest: "?beta=true&x=1+2" });
  });

  it("reads both forms of paging and of ids for files", () => {
    expect(readListQuery("file", "/v1/files?page=f1")).toMatchObject({ afterId: "f1" });
    expect(readListQuery("file", "/v1/files?ids[]=a&ids%5B%5D=b&ids=a").ids).toEqual(["a", "b"]);
  });

  it.each(["0", "-1", "1001", "1.5", "ten", "1e9"])("refuses the limit %s", (limit) => {
    expect(() => readListQuery("batch", `/v1/messages/batches?limit=${limit}`)).toThrow(/^limit must be/);
  });

  it("refuses what it cannot do", () => {
    const many = Array.from({ length: 101 }, (_, index) => `ids=${index}`).join("&");
    expect(() => readListQuery("file", `/v1/files?${many}`)).toThrow(/^ids must be at most 100/);
    expect(() => readListQuery("file", "/v1/files?scope_id=s")).toThrow(/scope_id/);
  });
});
