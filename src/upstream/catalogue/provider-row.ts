import type { Operation, WireName } from "../../wire/codec.ts";
import type { CredentialKind } from "../credentials/credential-config.ts";

/** Providers by their name in the configuration. */
export type ProviderName =
  | "anthropic"
  | "anthropicAws"
  | "bedrock"
  | "bedrockMantle"
  | "vertex"
  | "foundry"
  | "azure-openai"
  | "openai"
  | "custom"
  | "sandbox";

/** What a template may name in braces. */
export type Parameter = "region" | "project" | "resource" | "workspace" | "apiVersion" | "v1Version" | "model";

/** The address of a provider, for all regions or for one. */
interface EndpointRow {
  /** The region that it is for; null for every other one. */
  readonly region: string | null;
  /** Template of the base URL, without a slash at the end. */
  readonly baseUrl: string;
}

/** Where one kind of request goes, below the base URL. Of several that fit, the first one counts. */
export interface PathRow {
  readonly wire: WireName;
  readonly operation: Operation;
  /** Null where streams and whole answers have one path. */
  readonly stream: boolean | null;
  /** A parameter without which the row does not fit; null for none. */
  readonly needs: Parameter | null;
  /** Template of path and query; values are escaped as path segments. */
  readonly path: string;
}

/** Where OpenAI's embeddings are asked for, below the base URL. Of several that fit, the first one counts. */
type EmbeddingsRow = Pick<PathRow, "needs" | "path">;

/** The cheapest call that shows a provider to be well: a GET, or counting the tokens of one word, which costs nothing. */
type ProbeRow = { readonly by: "get"; readonly path: string } | { readonly by: "count_tokens" };

/** Everything that sets one provider apart. A new provider is a new row. */
export interface ProviderRow {
  readonly name: ProviderName;
  /** As it is called in text. */
  readonly title: string;
  /** The formats that it speaks, the best one for a Messages request first. */
  readonly wires: readonly WireName[];
  /** Default addresses; none where the configuration has to name one. */
  readonly endpoints: readonly EndpointRow[];
  /** What a configured base URL without a path gets, `/v1` for example; empty for nothing. */
  readonly defaultPath: string;
  /** Endings of a configured base URL that the path templates have too, so that people may write either. */
  readonly redundantPaths: readonly string[];
  readonly paths: readonly PathRow[];
  /** None where the provider has no embeddings. */
  readonly embeddings: readonly EmbeddingsRow[];
  /** Headers that every request needs, lower-case names and templates of values. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly probe: ProbeRow | null;
  /** Whether its model ids are names that people choose for deployments, from which the model need not be seen. */
  readonly namesDeployments: boolean;
  /** Whether it has the Message Batches and Files APIs. */
  readonly keepsObjects: boolean;
  readonly credentials: readonly CredentialKind[];
  /** Where an API key goes; `authorization` means as a bearer. */
  readonly apiKeyHeader: string;
  /** The service's name in AWS signatures; null where there are none. */
  readonly signingService: string | null;
  /** The scope of Entra tokens; null where there are none. */
  readonly entraScope: string | null;
  /** Response headers with the provider's own request id, the first that is there counts. */
  readonly requestIdHeaders: readonly string[];
  /** Headers of clients that are passed on besides those that the wire passes on, lower-case. */
  readonly clientHeaders: readonly string[];
}
