import type { CommonOptions } from "../cli-context.ts";

/** What `weir route explain` may be told. */
export interface ExplainOptions extends CommonOptions {
  readonly key?: string;
  readonly session?: string;
  readonly region?: string;
  readonly tokens?: number;
  readonly outputTokens?: number;
  readonly offline?: boolean;
}

/** One question. */
export interface ExplainQuestion {
  /** The name as it was asked for. */
  readonly model: string;
  readonly options: ExplainOptions;
}

/** Where a request goes, and who says so. */
export interface ExplainedRoute {
  readonly source: { readonly kind: "running"; readonly url: string } | { readonly kind: "configuration" };
  readonly document: Readonly<Record<string, unknown>>;
  readonly text: readonly string[];
}
