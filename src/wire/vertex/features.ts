import { CLOUD_FEATURES } from "../cloud/feature-support.ts";
import { YES, type FeatureTable } from "../features.ts";

/** What a Messages request may ask of Vertex, for the conformance matrix. */
export const VERTEX_FEATURES: FeatureTable = { ...CLOUD_FEATURES, server_tools_web_search: YES };
