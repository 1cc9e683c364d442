import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

import type { Finding } from "./finding.ts";
import type { Profile } from "./profiles.ts";
import { refusal, warning, weakStart } from "./rules/rule.ts";
import type { Config } from "./schema.ts";
import { readText } from "./source/read-source.ts";
import type { Path } from "./source/path.ts";

const DAY_MS = 86_400_000;
/** How long before its end a certificate is warned about. */
const EXPIRY_NOTICE_DAYS = 14;

/** What node:https takes; also for `setSecureContext` after the files have changed. */
export interface ServerTlsOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly ciphers: string;
  readonly honorCipherOrder: true;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** Reads the PEM files of `listen.tls`. Throws when one cannot be read; `checkTlsFiles` says so beforehand. */
export async function readServerTls(tls: NonNullable<Config["listen"]["tls"]>): Promise<ServerTlsOptions> {
  const [cert, key, ca] = await Promise.all([
    readFile(tls.cert),
    readFile(tls.key),
    tls.client_ca === undefined ? undefined : readFile(tls.client_ca),
  ]);
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: tls.min_version,
    ciphers: tls.ciphers.join(":"),
    honorCipherOrder: true,
    requestCert: tls.client_auth !== "none",
    rejectUnauthorized: tls.client_auth === "require",
  };
}

/** The files that one group of TLS settings names, and where in the configuration the group stands. */
interface TlsGroup {
  readonly path: Path;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Authorities, by the name of their setting. */
  readonly authorities: Readonly<Record<string, string | undefined>>;
}

/** Looks into every PEM file that the configuration names: can it be read, does it hold what it should, is it valid? */
export async function checkTlsFiles(config: Config, profile: Profile, nowMs: number): Promise<Finding[]> {
  const findings = await Promise.all(tlsGroupsOf(config).map((group) => checkGroup(group, profile, nowMs)));
  return findings.flat();
}

function tlsGroupsOf(config: Config): TlsGroup[] {
  const groups: TlsGroup[] = [{ path: ["network", "tls"], authorities: { ca: config.network.tls.ca } }];
  const server = config.listen.tls;
  if (server !== undefined) {
    const { cert, key, client_ca } = server;
    groups.push({ path: ["listen", "tls"], cert, key, authorities: { client_ca } });
  }
  for (const [i, upstream] of config.upstreams.entries()) {
    if (upstream.provider === "sandbox" || upstream.tls === undefined) continue;
    const { ca, cert, key } = upstream.tls;
    groups.push({ path: ["upstreams", i, "tls"], cert, key, authorities: { ca } });
  }
  return groups;
}

async function checkGroup(group: TlsGroup, profile: Profile, nowMs: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, file] of Object.entries(group.authorities)) {
    if (file === undefined) continue;
    const authorities = await readPem([...group.path, name], file, certificatesIn);
    if ("finding" in authorities) findings.push(authorities.finding);
  }
  if (group.cert === undefined || group.key === undefined) return findings;
  const chain = await readPem([...group.path, "cert"], group.cert, certificatesIn);
  const key = await readPem([...group.path, "key"], group.key, privateKeyIn);
  if ("finding" in chain) findings.push(chain.finding);
  if ("finding" in key) findings.push(key.finding);
  if ("finding" in chain) return findings;
  const [certificate] = chain.content;
  if (certificate === undefined) return findings;
  if ("content" in key && !certificate.checkPrivateKey(key.content)) {
    findings.push(
      refusal("key_mismatch", [...group.path, "key"], {
        message: "the private key does not belong to the certificate",
        fix: "Use the key that the certificate was issued for; the server's own certificate must come first in its file.",
      }),
    );
  }
  return [...findings, ...checkValidity(certificate, { path: [...group.path, "cert"], profile, nowMs })];
}

function checkValidity(
  certificate: X509Certificate,
  { path, profile, nowMs }: { path: Path; profile: Profile; nowMs: number },
): Finding[] {
  const fix = "Renew the certificate; Weir takes the new files without a restart.";
  const endMs = Date.parse(certificate.validTo);
  if (nowMs < Date.parse(certificate.validFrom)) {
    const message = `the certificate is valid only from ${certificate.validFrom}`;
    return [
      weakStart(profile, { code: "certificate_not_valid", path, message, fix: "Check it, and this machine's clock." }),
    ];
  }
  if (nowMs > endMs) {
    const message = `the certificate expired on ${certificate.validTo}`;
    return [weakStart(profile, { code: "certificate_not_valid", path, message, fix })];
  }
  if (endMs - nowMs > EXPIRY_NOTICE_DAYS * DAY_MS) return [];
  return [warning("certificate_expires", path, { message: `the certificate expires on ${certificate.validTo}`, fix })];
}

async function readPem<T>(
  path: Path,
  file: string,
  parse: (text: string) => T | null,
): Promise<{ content: T } | { finding: Finding }> {
  const reading = await readText(file);
  if ("problem" in reading) {
    const fix = "Check the path, and that the user running Weir may read the file.";
    return { finding: refusal("unreadable_file", path, { message: `the file ${file} ${reading.problem}`, fix }) };
  }
  const content = parse(reading.text);
  if (content !== null) return { content };
  const wanted = parse === privateKeyIn ? "an unencrypted private key" : "a certificate";
  return {
    finding: refusal("bad_pem", path, {
      message: `the file ${file} does not hold ${wanted} in PEM form`,
      fix: `Point it at a file with -----BEGIN ${parse === privateKeyIn ? "PRIVATE KEY" : "CERTIFICATE"}-----.`,
    }),
  };
}

function certificatesIn(text: string): X509Certificate[] | null {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length === 0 ? null : blocks.map((block) => new X509Certificate(block));
  } catch {
    // OpenSSL's reason adds nothing for the reader: the block is no certificate.
    return null;
  }
}

function privateKeyIn(text: string): KeyObject | null {
  try {
    return createPrivateKey(text);
  } catch {
    // As above; the text of the error could quote the key.
    return null;
  }
}
