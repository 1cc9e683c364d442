/** What the sign-in page says, in one language. `{name}` stands for a value. */
export interface PageText {
  readonly lang: string;
  readonly title: string;
  readonly intro: string;
  readonly codeLabel: string;
  readonly compare: string;
  readonly approve: string;
  readonly approveWith: string;
  readonly deny: string;
  readonly approvedTitle: string;
  readonly approvedCode: string;
  readonly approvedAs: string;
  readonly approvedClose: string;
  readonly deniedTitle: string;
  readonly denied: string;
  readonly failedTitle: string;
  readonly unknownCode: string;
  readonly otherSite: string;
  readonly tooMany: string;
  readonly expired: string;
  readonly otherBrowser: string;
  readonly decided: string;
  readonly idpError: string;
  readonly unavailable: string;
  readonly away: string;
  readonly refused: string;
  readonly again: string;
}

const ENGLISH: PageText = {
  lang: "en",
  title: "Connect a device",
  intro: "A device asks to be signed in with your account. It will send requests to Claude in your name.",
  codeLabel: "Code shown on the device",
  compare:
    "Go on only if you started this yourself and your device shows exactly this code. Nobody else should ever give you a code.",
  approve: "Sign in and approve",
  approveWith: "Approve with {provider}",
  deny: "Deny",
  approvedTitle: "Device approved",
  approvedCode: "You approved the device with the code {code}.",
  approvedAs: "It is signed in as {who}.",
  approvedClose: "You can close this window and go back to your device.",
  deniedTitle: "Device denied",
  denied: "The device with the code {code} was not signed in.",
  failedTitle: "Sign-in did not work",
  unknownCode: "This code is not known. It may have a typing mistake, or have expired. Compare it with your device.",
  otherSite: "This request came from another site and was stopped. Open the link that your device shows.",
  tooMany: "Too many codes were tried from your network, which others may share. Wait {minutes} minutes and try again.",
  expired: "This sign-in has expired. Begin again on your device.",
  otherBrowser:
    "This sign-in was begun in another browser. Open the link of your device in the browser in which you sign in.",
  decided: "This code has been used already, or has expired. Begin again on your device.",
  idpError: "Your identity provider answered: {error}",
  unavailable: "Your identity provider cannot be reached at the moment. Try again in a few minutes.",
  away: "Sign-in is not possible at the moment: the gateway cannot reach its database. Try again in a few minutes.",
  refused: "You were not signed in: {reason}",
  again: "Enter a code",
};

const CHINESE: PageText = {
  lang: "zh",
  title: "连接设备",
  intro: "有一台设备请求使用您的账户登录。登录后，它将以您的名义向 Claude 发送请求。",
  codeLabel: "设备上显示的代码",
  compare: "仅当此操作由您本人发起，并且设备上显示的代码与此完全一致时才继续。任何其他人都不应向您提供代码。",
  approve: "登录并批准",
  approveWith: "使用 {provider} 批准",
  deny: "拒绝",
  approvedTitle: "设备已批准",
  approvedCode: "您已批准代码为 {code} 的设备。",
  approvedAs: "该设备以 {who} 的身份登录。",
  approvedClose: "您可以关闭此窗口，返回您的设备。",
  deniedTitle: "设备已拒绝",
  denied: "代码为 {code} 的设备未登录。",
  failedTitle: "登录未成功",
  unknownCode: "无法识别此代码。它可能输入有误，或已过期。请与您的设备核对。",
  otherSite: "此请求来自其他网站，已被阻止。请打开设备上显示的链接。",
  tooMany: "您所在的网络尝试代码的次数过多（他人可能与您共用该网络）。请等待 {minutes} 分钟后重试。",
  expired: "此次登录已过期。请在设备上重新开始。",
  otherBrowser: "此次登录是在另一个浏览器中开始的。请在您登录所用的浏览器中打开设备显示的链接。",
  decided: "此代码已被使用或已过期。请在设备上重新开始。",
  idpError: "您的身份提供商返回：{error}",
  unavailable: "目前无法连接您的身份提供商。请几分钟后重试。",
  away: "目前无法登录：网关无法连接其数据库。请几分钟后重试。",
  refused: "未能登录：{reason}",
  again: "输入代码",
};

/** The language that the browser prefers of those there are; English where it names neither. */
export function pageText(acceptLanguage: string | undefined): PageText {
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((item) => {
      const [tag = "", ...parameters] = item.trim().toLowerCase().split(";");
      const q = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find((text) => text !== undefined);
      return { language: tag.split("-")[0], q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ language, q }) => q > 0 && (language === "en" || language === "zh"))
    .sort((a, b) => b.q - a.q);
  return wanted[0]?.language === "zh" ? CHINESE : ENGLISH;
}

/** A text with its values put in; escaping is the page's matter. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
