import { auditContract } from "../ports/audit.contract.ts";
import { directoryContract } from "../ports/directory.contract.ts";
import { ownedObjectsContract } from "../ports/owned-objects.contract.ts";
import { spendLimitsContract } from "../ports/spend-limits.contract.ts";
import { signInContract } from "../ports/sign-in.contract.ts";
import { usageContract } from "../ports/usage.contract.ts";
import { MemoryAuditStore } from "./memory-audit-store.ts";
import { MemoryDirectoryStore } from "./memory-directory-store.ts";
import { MemoryOwnedObjectStore } from "./memory-owned-object-store.ts";
import { MemorySpendLimitStore } from "./memory-spend-limit-store.ts";
import { MemorySignInStore } from "./memory-sign-in-store.ts";
import { MemoryUsageStore } from "./memory-usage-store.ts";

const close = async (): Promise<void> => {};

directoryContract(async () => ({ store: new MemoryDirectoryStore(), close }));
usageContract(async () => ({ store: new MemoryUsageStore(), close }));
ownedObjectsContract(async () => ({ store: new MemoryOwnedObjectStore(), close }));
auditContract(async () => ({ store: new MemoryAuditStore(), close }));
spendLimitsContract(async () => {
  const directory = new MemoryDirectoryStore();
  return { store: { directory, spend: new MemorySpendLimitStore(directory, () => directory.announce()) }, close };
});
signInContract(async () => ({
  store: { signIn: new MemorySignInStore(), directory: new MemoryDirectoryStore() },
  close,
}));
