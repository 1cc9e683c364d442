/** A model as `GET /v1/models` tells clients of OpenAI's formats. */
export interface ListedModel {
  readonly id: string;
  /** Seconds since the epoch; 0 when it is not known. */
  readonly createdAtSeconds: number;
  /** Who made it, for example `anthropic`. */
  readonly ownedBy: string;
}

/** OpenAI's model list as JSON text. */
export function modelListBody(models: readonly ListedModel[]): string {
  return JSON.stringify({ object: "list", data: models.map(modelEntry) });
}

/** The answer to `GET /v1/models/{id}` as JSON text. */
export function modelBody(model: ListedModel): string {
  return JSON.stringify(modelEntry(model));
}

function modelEntry({ id, createdAtSeconds, ownedBy }: ListedModel): object {
  return { id, object: "model", created: createdAtSeconds, owned_by: ownedBy };
}
