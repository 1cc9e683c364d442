import { directoryContract } from "../ports/directory.contract.ts";
import { ownedObjectsContract } from "../ports/owned-objects.contract.ts";
import { usageContract } from "../ports/usage.contract.ts";
import { MemoryDirectoryStore } from "./memory-directory-store.ts";
import { MemoryOwnedObjectStore } from "./memory-owned-object-store.ts";
import { MemoryUsageStore } from "./memory-usage-store.ts";

const close = async (): Promise<void> => {};

directoryContract(async () => ({ store: new MemoryDirectoryStore(), close }));
usageContract(async () => ({ store: new MemoryUsageStore(), close }));
ownedObjectsContract(async () => ({ store: new MemoryOwnedObjectStore(), close }));
