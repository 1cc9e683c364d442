import { PROFILES } from "./profiles.ts";
import type { ProfileName } from "./schema.ts";

/**
 * The text of a `weir.yaml` to start from: what the profile needs is set, what is often wanted stands in comments. It
 * loads without errors once the environment variables that it names are set.
 */
export function writeStarterConfig(profile: ProfileName): string {
  const isServer = profile !== "dev";
  const isStrict = PROFILES[profile].weakStart === "refuse";
  const parts = [
    header(profile),
    isServer ? SERVER_LISTEN : DEV_LISTEN,
    isServer ? SERVER_STORE : DEV_STORE,
    profile === "dev" ? DEV_UPSTREAMS : UPSTREAMS,
    isStrict ? STRICT_SECURITY : null,
    LIMITS,
    OPTIONAL,
  ];
  return parts.filter((part) => part !== null).join("\n");
}

function header(profile: ProfileName): string {
  return `# Weir's configuration. All settings: docs/reference/configuration.md, or \`weir config schema\`.
# Check it with \`weir config check\`; see what is in effect, and why, with \`weir config show\`.
# Weir takes changes of this file at once; what is wrong is refused and the running configuration stays.
# Secrets do not belong in here: write \${VAR} for an environment variable, \${file:/absolute/path} for a file.

# ${PROFILES[profile].description}
# One of dev, staging, pre-prod, prod. Settings for one profile alone go into weir.<profile>.yaml beside this file.
profile: ${profile}
`;
}

const DEV_LISTEN = `listen:
  host: 127.0.0.1
  port: 8080
`;

const SERVER_LISTEN = `listen:
  host: 0.0.0.0
  port: 8080
  # The address that people put into their Claude Code.
  public_url: https://weir.example.com
  # The load balancer that terminates TLS. Its X-Forwarded-For is believed.
  trusted_proxies: [10.0.0.0/8]
  # Or let Weir terminate TLS itself:
  # tls:
  #   cert: /etc/weir/tls/tls.crt
  #   key: /etc/weir/tls/tls.key
`;

const DEV_STORE = `# Without a postgres_url, Weir starts a PostgreSQL of its own in data_dir.
# store:
#   postgres_url: \${WEIR_POSTGRES_URL}
`;

const SERVER_STORE = `store:
  postgres_url: \${WEIR_POSTGRES_URL}
  # max_connections: 5
`;

const DEV_UPSTREAMS = `# Without upstreams, Weir uses the Anthropic API when ANTHROPIC_API_KEY is set, and else the built-in sandbox.
# upstreams:
#   - provider: anthropic
#     auth:
#       api_key: \${ANTHROPIC_API_KEY}
#   - provider: bedrock         # also anthropicAws, vertex, foundry, azure-openai, openai, custom
#     region: us-east-1
#   - provider: sandbox
`;

const UPSTREAMS = `upstreams:
  - provider: anthropic
    auth:
      api_key: \${ANTHROPIC_API_KEY}
    # base_url: https://gateway.example.com   # another gateway in between
    # proxy: http://proxy.example.com:3128    # this upstream's own forward proxy, or direct
  # Tried in this order, each with the identity of the machine that Weir runs on:
  # - provider: bedrock
  #   region: us-east-1
  # - provider: vertex
  #   region: us-east5
  #   project_id: example-prod
  # - provider: foundry
  #   resource: example-foundry
  #   auth: { use_azure_ad: true }
`;

const STRICT_SECURITY = `security:
  # At least 32 random bytes, for example from: openssl rand -base64 32. Changing it makes every key invalid.
  key_pepper: \${WEIR_KEY_PEPPER}
`;

const LIMITS = `# admission:
#   key:
#     requests_per_minute: 600
#     max_concurrent_requests: 10
#   teams:
#     research: { tokens_per_minute: 2000000 }

# budgets:
#   - { scope: organization, window: month, limit_usd: 5000 }
#   - { scope: user, window: day, limit_usd: 25 }
#   - { scope: team, name: research, window: month, limit_usd: 1500, enforcement: soft }
`;

const OPTIONAL = `# routing:
#   strategy: ordered        # or round_robin, weighted_random, least_connections, response_time, cheapest, geographic

# pricing:
#   multiplier: 0.9          # a discount of 10 %

# network:
#   proxy:
#     https_proxy: http://proxy.example.com:3128
#     no_proxy: [.example.com]
#   tls:
#     ca: /etc/weir/corporate-ca.pem
`;
