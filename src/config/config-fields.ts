import { type FieldInfo, listFields } from "./schema-walk.ts";
import { configSchema } from "./schema.ts";

/** Every setting there is, in the order of the schema. */
export const CONFIG_FIELDS: readonly FieldInfo[] = [...listFields(configSchema)];
