import { CLOUD_MODEL, type CloudKind, type RunningCloud } from "../../harness/clouds/clouds.ts";

const IDS: Readonly<Record<string, string>> = { bedrock: `eu.anthropic.${CLOUD_MODEL}-v1:0` };

/** The id by which a stand-in of this kind knows the one model that all of them serve. */
export function modelIdAt(kind: CloudKind, running: RunningCloud): string {
  return kind.configYaml(running).models[CLOUD_MODEL] ?? IDS[kind.kind] ?? CLOUD_MODEL;
}
