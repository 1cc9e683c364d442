import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import type { AuditTrail } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { IdGenerator } from "../../core/id.ts";
import type { Logger } from "../../core/logger.ts";
import type { Config } from "../../config/schema.ts";
import type { ControlRoutes } from "../../control/control-api.ts";
import { signInRoutes } from "../../control/sign-in/sign-in-routes.ts";
import { DeviceGrants } from "../../identity/device/device-grants.ts";
import type { KeyHasher } from "../../identity/key-secret.ts";
import { GoogleGroups } from "../../identity/oidc/google-groups.ts";
import { AttemptLimits } from "../../identity/sign-in/attempt-limits.ts";
import { SignIn } from "../../identity/sign-in/sign-in.ts";
import { type SignInSettings, signInSettings } from "../../identity/sign-in/sign-in-settings.ts";
import { UserDirectory } from "../../identity/sign-in/user-directory.ts";
import type { SessionRing } from "../../identity/tokens/session-ring.ts";
import { Sessions } from "../../identity/tokens/sessions.ts";
import type { DirectorySnapshot, DirectoryStore } from "../../store/ports/directory.ts";
import type { RevokedSession, SignInStore } from "../../store/ports/sign-in.ts";
import { DirectoryFeed } from "../directory-feed.ts";
import { providerFetch } from "./provider-fetch.ts";

const PURGE_INTERVAL_MS = 60_000;

export interface SignInControlParts {
  readonly config: Config;
  readonly directory: DirectoryStore;
  readonly store: SignInStore;
  readonly sessions: SessionRing;
  readonly audit: AuditTrail;
  readonly hasher: KeyHasher;
  /** The pepper behind the hasher, from which the session secret is derived where none is configured. */
  readonly pepper: string;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where clients reach this Weir. */
  readonly origin: () => string;
  readonly directoryNow: () => DirectorySnapshot;
}

interface Revocations {
  readonly revision: number;
  readonly sessions: readonly RevokedSession[];
}

/** Sign-in as a part of the process: its routes, the revocations in memory, and the removal of what has expired. */
export class SignInControl implements Component {
  readonly name = "sign-in";
  readonly routes: readonly ControlRoutes[];
  readonly #parts: SignInControlParts;
  readonly #feed: DirectoryFeed<Revocations>;
  #settings: SignInSettings | null = null;
  #config: Config;
  #purge: NodeJS.Timeout | null = null;

  constructor(parts: SignInControlParts) {
    this.#parts = parts;
    this.#config = parts.config;
    const { store, clock, logger, sessions, hasher, ids } = parts;
    this.#feed = new DirectoryFeed(
      {
        // Read whole each time, one reading after the other: the newest reading is the last one.
        load: async () => ({ revision: 0, sessions: await store.revokedSessions(clock.nowMs()) }),
        subscribe: (onChange) => store.subscribe(onChange),
      },
      { logger, apply: (reading) => sessions.setRevoked(reading.sessions) },
    );
    const signIn = new SignIn({
      settings: () => this.#settings,
      grants: new DeviceGrants(store, { hasher, clock }),
      sessions: new Sessions({ store, hasher, ids, clock, pause: (ms) => sleep(ms) }),
      users: new UserDirectory(parts.directory, store, ids),
      audit: parts.audit,
      organizationId: () => firstOrganization(parts.directoryNow()),
      clock,
      logger,
    });
    const limits = new AttemptLimits(store, { hasher, clock, settings: () => this.#config.rate_limits });
    this.routes = signInRoutes({ signIn, limits, origin: parts.origin });
    this.configure(parts.config);
  }

  /** Puts a configuration into force. Sessions go on; tokens signed with secrets that are gone do not. */
  configure(config: Config): void {
    const { pepper, sessions } = this.#parts;
    const isSame = this.#settings !== null && isDeepStrictEqual(concerned(config), concerned(this.#config));
    this.#config = config;
    if (isSame) return;
    this.#settings = signInSettings(config, {
      pepper,
      fetchFor: (settings) => providerFetch(settings, config),
      googleGroupsFor: (settings) => {
        const { google_groups } = settings;
        if (google_groups === undefined) return null;
        const { service_account_json_path: keyFile, admin_email: adminEmail } = google_groups;
        return new GoogleGroups({ keyFile, adminEmail, fetch: providerFetch(settings, config) });
      },
    });
    sessions.configure(this.#settings?.tokens ?? null);
  }

  async start(): Promise<void> {
    await this.#feed.start();
    this.#purge = setInterval(() => void this.#removeExpired(), PURGE_INTERVAL_MS).unref();
    this.#meetProviders();
  }

  async stop(): Promise<void> {
    if (this.#purge !== null) clearInterval(this.#purge);
    await this.#feed.stop();
  }

  async #removeExpired(): Promise<void> {
    const { store, clock, logger } = this.#parts;
    try {
      await store.purge(clock.nowMs());
    } catch (error) {
      logger.warn({ err: error }, "expired sign-ins could not be removed; tried again in a minute");
    }
  }

  /** Says early what people would else find out; a provider that is away is no reason not to serve those signed in. */
  #meetProviders(): void {
    for (const provider of this.#settings?.providers ?? []) {
      const { name, issuer } = provider.settings;
      provider.formOrigins().catch((error: unknown) => {
        const text = "an identity provider does not answer; sign-in fails until it does";
        this.#parts.logger.warn({ provider: name, issuer, err: error }, text);
      });
    }
  }
}

/** What of a configuration sign-in depends on; as long as it stays, providers need not be discovered again. */
function concerned({ oidc, oidc_providers, session, network, listen, login_notice }: Config): unknown {
  return [oidc, oidc_providers, session, network, listen.public_url, login_notice];
}

function firstOrganization({ organizations }: DirectorySnapshot): string {
  const [first] = organizations;
  if (first === undefined) throw new Error("the directory has no organisation");
  return first.id;
}
