import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { systemClock } from "../../src/core/clock.ts";
import { IdGenerator } from "../../src/core/id.ts";
import { hintOfSecret, KeyHasher, newKeySecret } from "../../src/identity/key-secret.ts";
import type { DirectoryStore, KeyRecord } from "../../src/store/ports/directory.ts";
import { ask } from "./http-answer.ts";
import { eventually } from "./waiting.ts";
import type { WeirProcess } from "./weir-process.ts";

/** A user in a team of their own, with a key of their own. */
export interface Person {
  readonly organizationId: string;
  readonly teamId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly secret: string;
}

const ids = new IdGenerator(systemClock);

/** Makes a person from this process, as a command line would; resolves when the running Weir knows their key. */
export async function newPerson(weir: WeirProcess, key: Partial<KeyRecord> = {}): Promise<Person> {
  const pepper = (await readFile(join(weir.dataDir, "key-pepper"), "utf8")).trim();
  const secret = newKeySecret("dev");
  const [teamId, userId, keyId] = [ids.next("team"), ids.next("usr"), ids.next("key")];
  const organizationId = await inDirectory(weir, async (directory) => {
    const { organizations, keys } = await directory.load();
    const organizationId = organizations[0]!.id;
    await directory.createTeam({ id: teamId, organizationId, name: teamId, status: "active" });
    const user = { id: userId, organizationId, teamId, name: userId, email: null, status: "active" } as const;
    await directory.createUser(user);
    await directory.createKey({
      ...keys[0]!,
      id: keyId,
      teamId: null,
      userId,
      name: keyId,
      hmac: new KeyHasher(pepper).hmac(secret),
      hint: hintOfSecret(secret),
      ...key,
    });
    return organizationId;
  });
  await eventually("Weir knows the key", async () => {
    const { status } = await ask(`${weir.url}/v1/models`, { headers: { "x-api-key": secret } });
    return status !== 401;
  });
  return { organizationId, teamId, userId, keyId, secret };
}

/** Works on the directory of a running Weir from this process. */
export function inDirectory<T>(weir: WeirProcess, work: (directory: DirectoryStore) => Promise<T>): Promise<T> {
  return weir.database.withStore((store) => work(store.directory));
}
