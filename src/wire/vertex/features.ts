import { CLOUD_FEATURES, type FeatureTable } from "../cloud/feature-support.ts";

/** What a Messages request may ask of Vertex, for the conformance matrix. */
export const VERTEX_FEATURES: FeatureTable = { ...CLOUD_FEATURES, server_tools_web_search: { support: "yes" } };
