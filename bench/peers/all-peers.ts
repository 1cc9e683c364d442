import { bare } from "./bare.ts";
import { claudeGateway } from "./claude-gateway.ts";
import { litellm } from "./litellm.ts";
import { nginx } from "./nginx.ts";
import type { Peer } from "./peer.ts";
import { portkey } from "./portkey.ts";
import { weir } from "./weir.ts";

/** In the order in which they take turns. */
export const PEERS: readonly Peer[] = [weir, bare, nginx, portkey, litellm, claudeGateway];
