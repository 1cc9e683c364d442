/**
 * Whether a request comes from a Claude Code session that Claude Desktop started. These get their policy from Claude Desktop,
 * which has it from `/user/bootstrap`; a second one would compete with it.
 */
export function isDesktopSession(userAgent: string | undefined): boolean {
  if (userAgent === undefined) return false;
  const entrypoint = /^claude-(?:cli|code)\/\S+ \([^,)]*,\s*([^,)\s]+)/.exec(userAgent)?.[1];
  return entrypoint !== undefined && /^(?:claude-desktop(?:-3p)?|local-agent)$/.test(entrypoint);
}
