import { describe, expect, it } from "vitest";

import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { type AccountFacts, chooseServerAccount } from "./server-account.ts";

const PASSWD = [
  "root:x:0:0:root:/root:/bin/bash",
  "ada:x:1000:1001:Ada,,,:/home/ada:/bin/bash",
  "postgres:x:101:104::/var/lib/postgresql:/bin/bash",
  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
].join("\n");
const ROOT: AccountFacts = { ownUid: 0, clusterOwner: null, dataDirOwner: { uid: 0, gid: 0 }, passwd: PASSWD };

describe("chooseServerAccount", () => {
  it("lets an ordinary user run the server as themselves", () => {
    expect(chooseServerAccount({ ...ROOT, ownUid: 1000 })).toBeNull();
    expect(chooseServerAccount({ ...ROOT, ownUid: 1000, clusterOwner: { uid: 1000, gid: 1 } })).toBeNull();
  });

  it("refuses an ordinary user whose database belongs to somebody else, and says to whom", () => {
    const choose = (): unknown => chooseServerAccount({ ...ROOT, ownUid: 1000, clusterOwner: { uid: 101, gid: 104 } });
    expect(choose).toThrow(EmbeddedPostgresError);
    expect(choose).toThrow("user id 101");
  });

  it("has root run an existing database as its owner", () => {
    const clusterOwner = { uid: 4242, gid: 4243 };
    expect(chooseServerAccount({ ...ROOT, clusterOwner, dataDirOwner: { uid: 1000, gid: 1001 } })).toEqual(
      clusterOwner,
    );
  });

  it("has root run a new database as the owner of the data directory", () => {
    expect(chooseServerAccount({ ...ROOT, dataDirOwner: { uid: 1000, gid: 1001 } })).toEqual({ uid: 1000, gid: 1001 });
  });

  it("has root pass over an owner without a name, whom initdb would refuse", () => {
    expect(chooseServerAccount({ ...ROOT, dataDirOwner: { uid: 7777, gid: 1 } })).toEqual({ uid: 101, gid: 104 });
  });

  it("has root fall back to a dedicated account, then to postgres, then to nobody", () => {
    const weir = `${PASSWD}\nweir:x:500:501::/:/bin/false`;
    const bare = PASSWD.split("\n")
      .filter((line) => !line.startsWith("postgres"))
      .join("\n");
    expect(chooseServerAccount({ ...ROOT, passwd: weir })).toEqual({ uid: 500, gid: 501 });
    expect(chooseServerAccount(ROOT)).toEqual({ uid: 101, gid: 104 });
    expect(chooseServerAccount({ ...ROOT, passwd: bare })).toEqual({ uid: 65_534, gid: 65_534 });
  });

  it("tells root what to do when there is no account at all", () => {
    expect(() => chooseServerAccount({ ...ROOT, passwd: "root:x:0:0::/:/bin/sh\n" })).toThrow("refuses to run as root");
  });
});
