/** One sample of a metrics page. */
export interface ExpositionSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric of a metrics page with everything that belongs to it. */
export interface ExpositionFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ExpositionSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*/;
/** A number as Prometheus reads it; prom-client writes not-a-number as `Nan`, which it takes too. */
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|Na[Nn])$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/**
 * For tests: reads Prometheus's text format 0.0.4 and throws on whatever is not exactly that: text in no known form, a
 * sample outside its family, a family or series that comes twice, a missing line end at the end.
 */
export function parseExposition(page: string): ReadonlyMap<string, ExpositionFamily> {
  if (!page.endsWith("\n")) throw new Error("the page does not end with a line end");
  const families = new Map<string, ExpositionFamily>();
  const series = new Set<string>();
  let help: { name: string; text: string } | null = null;
  let family: ExpositionFamily | null = null;
  for (const line of page.slice(0, -1).split("\n")) {
    if (line === "") continue;
    if (line.startsWith("# HELP ")) {
      const [, name = "", text = ""] = /^# HELP (\S+) (.*)$/.exec(line) ?? fail(line);
      help = { name, text };
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line) ?? fail(line);
      if (help?.name !== name || families.has(name)) fail(line);
      family = { name, help: help.text, type, samples: [] };
      families.set(name, family);
    } else {
      const sample = parseSample(line);
      const owner = family;
      if (owner === null || !SUFFIXES[owner.type]?.some((suffix) => owner.name + suffix === sample.name)) fail(line);
      const identity = line.slice(0, line.lastIndexOf(" "));
      if (series.has(identity)) fail(line);
      series.add(identity);
      owner.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): ExpositionSample {
  const [name = ""] = NAME.exec(line) ?? fail(line);
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    while (!rest.startsWith("}")) {
      const [label = ""] = LABEL_NAME.exec(rest) ?? fail(line);
      const [quoted = ""] = /^="(?:[^"\\\n]|\\[\\"n])*"/.exec(rest.slice(label.length)) ?? fail(line);
      if (Object.hasOwn(labels, label)) fail(line);
      labels[label] = unescaped(quoted.slice(2, -1));
      rest = rest.slice(label.length + quoted.length);
      if (rest.startsWith(",")) rest = rest.slice(1);
      else if (!rest.startsWith("}")) fail(line);
    }
    rest = rest.slice(1);
  }
  if (!rest.startsWith(" ") || !VALUE.test(rest.slice(1))) fail(line);
  return { name, labels, value: Number(rest.slice(1).replace("Inf", "Infinity")) };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

function fail(line: string): never {
  throw new Error(`not the text exposition format: ${JSON.stringify(line)}`);
}
