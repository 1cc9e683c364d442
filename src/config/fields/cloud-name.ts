import { z } from "zod";

import { checked } from "./checked.ts";

/** Text of which host names and paths are made, so that it may hold nothing that means something there. */
function nameOf(pattern: RegExp, message: string, fix: string): z.ZodString {
  return checked(z.string(), (value) => (pattern.test(value) ? null : { message, fix }));
}

/** A region of a cloud, as its endpoints' host names have it. */
export function cloudRegion(example: string): z.ZodString {
  return nameOf(
    /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/,
    "must be lowercase letters, digits and dashes",
    `Write the region as the cloud does, for example ${example}.`,
  );
}

/** The name of an Azure resource, which is the first part of its host name. */
export function azureResource(): z.ZodString {
  return nameOf(
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/,
    "must be the resource's name alone: letters, digits and dashes",
    "Write the first part of the resource's host name; a whole URL belongs in base_url.",
  );
}

/** The id or number of a Google Cloud project; older ones may carry a domain. */
export function googleProject(): z.ZodString {
  return nameOf(
    /^(?:[a-z0-9.-]+:)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be the id or number of a Google Cloud project",
    "Copy the project id, not its display name: gcloud config get-value project.",
  );
}

/** An id that is sent as a header or within a request. */
export function opaqueId(example: string): z.ZodString {
  return nameOf(
    /^[\x21-\x7e]{1,256}$/,
    "must be an id: printable, without spaces, at most 256 characters",
    `Copy it as the provider shows it, for example ${example}.`,
  );
}

/** An Amazon Resource Name of a service, such as `iam`. */
export function arn(service: string, example: string): z.ZodString {
  return nameOf(
    new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:[0-9]*:[\\x21-\\x7e]{1,2000}$`),
    `must be an ARN of ${service}`,
    `Write it in full, for example ${example}.`,
  );
}

/** A word that people choose to say where or what something is. */
export function label(): z.ZodString {
  return nameOf(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "must be 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
    "Choose a short word.",
  );
}
