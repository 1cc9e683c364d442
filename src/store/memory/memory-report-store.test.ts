import { reportsContract } from "../ports/reports.contract.ts";
import { sessionPausesContract } from "../ports/session-pauses.contract.ts";
import { MemoryReportStore } from "./memory-report-store.ts";
import { MemorySessionPauseStore } from "./memory-session-pause-store.ts";
import { MemoryUsageStore } from "./memory-usage-store.ts";

sessionPausesContract(async () => ({ store: new MemorySessionPauseStore(), close: async () => {} }));

reportsContract(async () => {
  const usage = new MemoryUsageStore();
  return { store: { usage, reports: new MemoryReportStore(usage) }, close: async () => {} };
});
