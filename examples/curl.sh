#!/bin/sh
# Weir with curl. Needs ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN, as `weir serve` prints them.
set -eu
: "${ANTHROPIC_BASE_URL:?set it to where Weir is, such as http://127.0.0.1:8080}"
: "${ANTHROPIC_AUTH_TOKEN:?set it to your Weir key}"

ask() {
  path=$1
  body=$2
  shift 2
  curl --silent --fail-with-body --no-buffer "$@" "$ANTHROPIC_BASE_URL$path" \
    -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'content-type: application/json' -d "$body"
  echo
}

echo '--- models'
curl --silent --fail-with-body "$ANTHROPIC_BASE_URL/v1/models?limit=3" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN"
echo

echo '--- a message, with who answered'
ask /v1/messages '{"model":"claude-haiku-4-5","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}' --include

echo '--- a stream'
ask /v1/messages '{"model":"claude-haiku-4-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'

echo '--- how many tokens would it be'
ask /v1/messages/count_tokens '{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"Hello"}]}'

echo '--- the simple API'
ask /api/claude/chat '{"prompt":"Hello"}'
