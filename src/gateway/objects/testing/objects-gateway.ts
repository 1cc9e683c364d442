import { onTestFinished } from "vitest";

import {
  PEPPER,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from "../../../../test/harness/gateway.ts";
import { KeyHasher, newKeySecret } from "../../../identity/key-secret.ts";
import { MemoryOwnedObjectStore } from "../../../store/memory/memory-owned-object-store.ts";
import type { KeyRecord, KeyScopes } from "../../../store/ports/directory.ts";
import { FakeObjectUpstream } from "./fake-object-upstream.ts";

/** Keys of the people in the tests. Ada and Bob are colleagues, Eve works elsewhere, the services have no user. */
export type Person = "ada" | "ada's other key" | "bob" | "service" | "other service" | "eve";

export interface ObjectsGateway {
  readonly gateway: TestGateway;
  readonly upstream: FakeObjectUpstream;
  readonly store: MemoryOwnedObjectStore;
  readonly keys: Readonly<Record<Person, string>>;
  /** A request with a person's key. Objects are sent as JSON. */
  readonly call: (person: Person, method: string, path: string, init?: CallInit) => Promise<Response>;
  /** Creates a batch of one request, or of these, and returns its id. */
  readonly makeBatch: (person: Person, requests?: readonly object[]) => Promise<string>;
  readonly makeFile: (person: Person) => Promise<string>;
}

interface CallInit {
  readonly json?: unknown;
  readonly body?: string | Buffer | ReadableStream;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export interface ObjectsGatewayOptions extends Omit<TestGatewayOptions, "upstreams" | "objects" | "key"> {
  readonly scopes?: Partial<KeyScopes>;
  readonly upstreams?: TestGatewayOptions["upstreams"];
  readonly store?: MemoryOwnedObjectStore;
}

export const MODEL = "claude-sonnet-5-5";

/** A request of a batch. */
export function batchRequest(customId: string, params: object = {}): object {
  const defaults = { model: MODEL, max_tokens: 100, messages: [{ role: "user", content: "hi" }] };
  return { custom_id: customId, params: { ...defaults, ...params } };
}

/** For tests: a gateway in front of a fake upstream, with the keys of several people. Stops when the test ends. */
export async function startObjectsGateway(options: ObjectsGatewayOptions = {}): Promise<ObjectsGateway> {
  const upstream = await FakeObjectUpstream.start();
  onTestFinished(() => upstream.stop());
  const { scopes, store = new MemoryOwnedObjectStore(), ...rest } = options;
  const allScopes = { models: [], endpoints: [], addresses: [], ...scopes };
  const gateway = await startTestGateway({
    upstreams: [{ baseUrl: upstream.url }],
    ...rest,
    objects: store,
    key: { scopes: allScopes },
  });
  onTestFinished(() => gateway.stop());
  const keys = addPeople(gateway);
  const call = (person: Person, method: string, path: string, init: CallInit = {}): Promise<Response> =>
    fetch(gateway.url + path, {
      method,
      headers: { "x-api-key": keys[person], ...(init.json === undefined ? {} : JSON_TYPE), ...init.headers },
      redirect: "manual",
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
      // As bytes: fetch gives a text a content type of its own.
      ...(init.body === undefined ? {} : { body: bytesOf(init.body), duplex: "half" }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  const made = async (answer: Response): Promise<string> => {
    const document: unknown = await answer.json();
    if (answer.status !== 200) throw new Error(`creating failed: ${JSON.stringify(document)}`);
    return String((document as { id: unknown }).id); // a created object has an id
  };
  return {
    gateway,
    upstream,
    store,
    keys,
    call,
    makeBatch: async (person, requests = [batchRequest("one")]) =>
      made(await call(person, "POST", "/v1/messages/batches", { json: { requests } })),
    makeFile: async (person) => made(await call(person, "POST", "/v1/files", { body: "text" })),
  };
}

function bytesOf(body: NonNullable<CallInit["body"]>): Buffer<ArrayBuffer> | ReadableStream {
  return body instanceof ReadableStream ? body : Buffer.from(body);
}

const JSON_TYPE = { "content-type": "application/json" };

function addPeople(gateway: TestGateway): Record<Person, string> {
  const [first] = [...gateway.services.keys.identities].map(({ key }) => key);
  if (first === undefined) throw new Error("the test gateway has no key");
  const hasher = new KeyHasher(PEPPER);
  const records: KeyRecord[] = [first];
  const add = (id: string, change: Partial<KeyRecord>): string => {
    const secret = newKeySecret("dev");
    records.push({ ...first, id, hmac: hasher.hmac(secret), ...change });
    return secret;
  };
  const keys = {
    ada: gateway.key,
    "ada's other key": add("key_ada_2", {}),
    bob: add("key_bob", { userId: "usr_bob" }),
    service: add("key_service", { userId: null }),
    "other service": add("key_service_2", { userId: null }),
    eve: add("key_eve", { organizationId: "org_2", teamId: null, userId: "usr_eve" }),
  };
  const person = { status: "active", email: null } as const;
  gateway.setDirectory({
    organizations: [
      { id: "org_1", name: "Test", status: "active", timeZone: "UTC" },
      { id: "org_2", name: "Other", status: "active", timeZone: "UTC" },
    ],
    users: [
      { ...person, id: "usr_1", organizationId: "org_1", teamId: "team_1", name: "Ada" },
      { ...person, id: "usr_bob", organizationId: "org_1", teamId: "team_1", name: "Bob" },
      { ...person, id: "usr_eve", organizationId: "org_2", teamId: null, name: "Eve" },
    ],
    keys: records,
  });
  return keys;
}
