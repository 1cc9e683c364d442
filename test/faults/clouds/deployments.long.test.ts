/** Active–passive by what is worse than usual: the triggers that need some requests to be noticed. */
import { afterEach, describe, expect, it } from "vitest";

import { noteFigure } from "../../harness/figures.ts";
import { activePassive, BACKUP, expectFailBack, IN_A_ROW, PRIMARY, USUAL_MS } from "./active-passive.ts";
import type { DeploymentWorld } from "./deployment-world.ts";

let world: DeploymentWorld;
afterEach(async () => world.stop());

describe("active–passive", () => {
  it("goes to the backup when first bytes come more than half later than usual", async () => {
    world = await activePassive();
    world.proxy(PRIMARY).set({ latencyMs: USUAL_MS * 6 });
    const asked = await world.askUntil(BACKUP, IN_A_ROW);
    expect((await world.failover()).reason).toMatch(/first bytes come .* later than usual, more than 50 ?%/);
    await expectFailBack(world);
    noteFigure(5, "active–passive: degradation", { requests_until_all_at_backup: asked - IN_A_ROW });
  });

  it("goes to the backup when more than one in twenty requests fails, though no client sees that", async () => {
    // A busy machine may be slow at this moment.
    world = await activePassive({ performance_degradation_percent: "never" });
    let count = 0;
    const { server } = world.fleet.cloud(PRIMARY);
    // One in ten: too few to open the circuit, and never several in a row.
    server.always({ kind: "status", status: 500 }, { when: () => ++count % 10 === 0 });
    const asked = await world.askUntil(BACKUP, IN_A_ROW);
    expect((await world.failover()).reason).toMatch(/of \d+ attempts failed, more than 5 ?%/);
    server.always(null);
    await expectFailBack(world);
    noteFigure(5, "active–passive: error rate", { requests_until_all_at_backup: asked - IN_A_ROW });
  });
});
