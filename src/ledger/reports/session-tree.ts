import type { CostSums, SessionPart } from "../../store/ports/reports.ts";

/** What one agent of a session cost: itself, and with everything that it started. */
export interface AgentNode {
  /** Null for the session's own conversation, and for `unknown`. */
  readonly agentId: string | null;
  readonly kind: "main" | "agent" | "unknown_parent";
  readonly own: CostSums;
  readonly total: CostSums;
  /** Models used by the agent itself, the dearest first. */
  readonly models: readonly string[];
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** In the order in which they began. */
  readonly children: readonly AgentNode[];
}

export interface SessionTree {
  readonly total: CostSums;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly userId: string | null;
  readonly keyId: string;
  /** The session's own conversation first, then agents whose parent is not known, under one node. */
  readonly roots: readonly AgentNode[];
}

/** The sums of nothing. */
export const NO_COST: CostSums = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costMicroUsd: 0,
};

function addCosts(a: CostSums, b: CostSums): CostSums {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costMicroUsd: a.costMicroUsd + b.costMicroUsd,
  };
}

/**
 * A session's agents as a tree; null when there are no parts. The client names an agent and its parent on each request; an
 * agent without a parent was started by the conversation itself. Where the named parent never asked anything in this
 * session, or agents name each other in a ring, nobody knows who started them: they stand under a node of their own. Every
 * part is in exactly one node, so the totals are exact.
 */
export function sessionTree(parts: readonly SessionPart[]): SessionTree | null {
  const [first] = parts;
  if (first === undefined) return null;
  const agents = agentsOf(parts);
  const children = Map.groupBy(agents.values(), (agent) => parentOf(agent, agents));
  const placed = new Set<string | null>([null]);
  const place = (agent: Agent): AgentNode => {
    placed.add(agent.id);
    const below = (children.get(agent.id) ?? []).filter(({ id }) => !placed.has(id));
    return nodeOf(agent, "agent", below.map(place));
  };
  const main = agents.get(null) ?? emptyAgent(null);
  const ofMain = nodeOf(main, "main", (children.get(null) ?? []).filter(({ id }) => id !== null).map(place));
  // What is left hangs on a parent that nobody knows, or in a ring.
  const strays: AgentNode[] = [];
  for (const agent of agents.values()) {
    if (!placed.has(agent.id) && !(agent.parentId !== null && agents.has(agent.parentId))) strays.push(place(agent));
  }
  for (const agent of agents.values()) if (!placed.has(agent.id)) strays.push(place(agent));
  const unknown = strays.length === 0 ? [] : [nodeOf(emptyAgent(null), "unknown_parent", strays)];
  const roots = [ofMain, ...unknown].filter(({ total }) => total.requests > 0);
  return {
    total: parts.reduce<CostSums>(addCosts, NO_COST),
    firstAtMs: Math.min(...parts.map(({ firstAtMs }) => firstAtMs)),
    lastAtMs: Math.max(...parts.map(({ lastAtMs }) => lastAtMs)),
    userId: first.userId,
    keyId: first.keyId,
    roots,
  };
}

interface Agent {
  readonly id: string | null;
  parentId: string | null;
  own: CostSums;
  readonly costs: Map<string, number>;
  firstAtMs: number;
  lastAtMs: number;
}

function emptyAgent(id: string | null): Agent {
  return { id, parentId: null, own: NO_COST, costs: new Map(), firstAtMs: Infinity, lastAtMs: -Infinity };
}

function agentsOf(parts: readonly SessionPart[]): Map<string | null, Agent> {
  const agents = new Map<string | null, Agent>();
  for (const part of parts) {
    const agent = agents.get(part.agentId) ?? emptyAgent(part.agentId);
    agent.own = addCosts(agent.own, part);
    // An agent that names several parents keeps the first that it named.
    agent.parentId ??= part.agentId === null ? null : part.parentAgentId;
    agent.costs.set(part.model, (agent.costs.get(part.model) ?? 0) + part.costMicroUsd);
    agent.firstAtMs = Math.min(agent.firstAtMs, part.firstAtMs);
    agent.lastAtMs = Math.max(agent.lastAtMs, part.lastAtMs);
    agents.set(part.agentId, agent);
  }
  return agents;
}

/** The id under which an agent stands; undefined where it is not known. */
function parentOf(agent: Agent, agents: ReadonlyMap<string | null, Agent>): string | null | undefined {
  if (agent.id === null) return undefined;
  if (agent.parentId === null) return null;
  return agents.has(agent.parentId) && agent.parentId !== agent.id ? agent.parentId : undefined;
}

function nodeOf(agent: Agent, kind: AgentNode["kind"], unsorted: readonly AgentNode[]): AgentNode {
  const children = [...unsorted].sort((a, b) => a.firstAtMs - b.firstAtMs);
  return {
    agentId: agent.id,
    kind,
    own: agent.own,
    total: children.reduce((sum, child) => addCosts(sum, child.total), agent.own),
    models: [...agent.costs].sort((a, b) => b[1] - a[1]).map(([model]) => model),
    firstAtMs: Math.min(agent.firstAtMs, ...children.map(({ firstAtMs }) => firstAtMs)),
    lastAtMs: Math.max(agent.lastAtMs, ...children.map(({ lastAtMs }) => lastAtMs)),
    children,
  };
}
