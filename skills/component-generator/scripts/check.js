// Looks at components for what is easily forgotten: check.js FILE…  One line a finding; exits with 1 when there is any.
const fs = require("fs");

/* Start tags with their attributes, whatever the framework calls them; strings and braces may hold ">". */
function tags(source) {
  const found = [];
  const pattern = /<([a-zA-Z][\w.-]*)((?:"[^"]*"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}|[^>"'{])*)>/g;
  for (let m; (m = pattern.exec(source)); )
    found.push({ name: m[1].toLowerCase(), attributes: m[2], line: source.slice(0, m.index).split("\n").length });
  return found;
}
const has = (tag, attribute) => new RegExp(`(^|[\\s:@])(v-bind:)?${attribute}(?=[\\s=>/]|$)`, "i").test(tag.attributes);
const spreads = (tag) => /\{\s*\.\.\.|v-bind=/.test(tag.attributes);

function check(file, source) {
  const findings = [];
  const say = (line, text) => findings.push(`${file}:${line}: ${text}`);
  const all = tags(source.replace(/<!--[\s\S]*?-->/g, (c) => c.replace(/[^\n]/g, " ")));
  const labelled = new Set();
  for (const tag of all) {
    const target = tag.name === "label" && /(?:for|htmlFor)\s*=\s*["'{]\s*([^"'}]+)/.exec(tag.attributes);
    if (target) labelled.add(target[1].trim());
  }
  for (const tag of all) {
    if (spreads(tag)) continue;
    if (tag.name === "img" && !has(tag, "alt")) say(tag.line, "an image without alt (alt=\"\" when it is decoration)");
    if (tag.name === "button" && !has(tag, "type")) say(tag.line, "a button without type: inside a form it would submit");
    if (tag.name === "a" && !has(tag, "href") && !has(tag, "to")) say(tag.line, "a link without href cannot be reached by keyboard: use a button");
    if (tag.name === "iframe" && !has(tag, "title")) say(tag.line, "an iframe without title");
    if (/^(div|span|li|p|img)$/.test(tag.name) && /(onclick|on:click|@click|v-on:click)\b/i.test(tag.attributes) && !has(tag, "role"))
      say(tag.line, `a click on <${tag.name}> that the keyboard cannot make: use a button`);
    if (/tabindex\s*=\s*["'{]*\s*[1-9]/i.test(tag.attributes)) say(tag.line, "a tabindex above 0 breaks the order of the page");
    if (/^(input|select|textarea)$/.test(tag.name) && !/type\s*=\s*["'](hidden|submit|button|reset|image)/i.test(tag.attributes)) {
      const id = /(?:^|\s)id\s*=\s*["'{]\s*([^"'}]+)/.exec(tag.attributes);
      const wrapped = new RegExp(`<label[^>]*>(?:(?!</label>)[\\s\\S])*<${tag.name}\\b`, "i").test(source);
      if (!has(tag, "aria-label") && !has(tag, "aria-labelledby") && !(id && labelled.has(id[1].trim())) && !wrapped)
        say(tag.line, `<${tag.name}> without a label`);
    }
  }
  source.split("\n").forEach((text, i) => {
    if (/dangerouslySetInnerHTML|v-html|\{@html|\.innerHTML\s*[+]?=(?!=)/.test(text) && !/\.innerHTML\s*=\s*(""|''|`[^$`]*`)\s*;?/.test(text))
      say(i + 1, "HTML made of text: whoever can write the text can run a script");
    if (/outline\s*:\s*(none|0)\b/.test(text) && !/:focus-visible/.test(source)) say(i + 1, "the focus ring is taken away and nothing put in its place");
  });
  return findings;
}

const files = process.argv.slice(2);
if (!files.length) {
  console.error("Name the files to look at.");
  process.exit(2);
}
const findings = [];
for (const file of files) {
  try {
    findings.push(...check(file, fs.readFileSync(file, "utf8")));
  } catch (error) {
    findings.push(`${file}: cannot be read (${error.message})`);
  }
}
console.log(findings.length ? findings.join("\n") : `Found nothing in ${files.length} file${files.length > 1 ? "s" : ""}.`);
process.exitCode = findings.length ? 1 : 0;
