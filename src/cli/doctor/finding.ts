/** What a check found. `skip`: it could not be made, for a reason that another check reports. */
export interface Finding {
  readonly status: "ok" | "warn" | "fail" | "skip";
  readonly detail: string;
  /** How to put it right; empty where nothing needs to be. */
  readonly remedy: string;
}

export function ok(detail: string): Finding {
  return { status: "ok", detail, remedy: "" };
}

export function warn(detail: string, remedy: string): Finding {
  return { status: "warn", detail, remedy };
}

export function fail(detail: string, remedy: string): Finding {
  return { status: "fail", detail, remedy };
}

export function skip(detail: string): Finding {
  return { status: "skip", detail, remedy: "" };
}
