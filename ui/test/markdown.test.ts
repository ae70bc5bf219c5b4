import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";

const dom = new JSDOM("");
Object.assign(globalThis, { window: dom.window, document: dom.window.document });
const { render, renderWhole, Splitter } = await import("../src/markdown.ts");

const page = (html: string) => new JSDOM(`<body>${html}</body>`).window.document.body;
const draw = (text: string) => page(new Splitter().split(text).map(render).join(""));

const attacks = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil></SCRIPT>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>", "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>", "<style>*{background:url(//evil)}</style>", "<link rel=stylesheet href=//evil>", "<meta http-equiv=refresh content='0;url=//evil'>", "<base href=//evil>",
    "<form action=//evil><input name=a><button>b</button></form>", "<a href=javascript:alert(1)>x</a>", "<p style=position:fixed>x</p>", "<div id=app>x</div>", "<button formaction=//evil>x</button>",
    "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](java\tscript:alert(1))", "[a](&#106;avascript:alert(1))", "[a](vbscript:x)", "[a](data:text/html,<script>alert(1)</script>)", "[a](file:///etc/passwd)",
    "[a](//evil)", "[a](/api/v1/sessions)", "<javascript:alert(1)>", "[a]: javascript:alert(1)\n\n[a]", "![x](http://evil/x.png)", "![x](javascript:alert(1))", "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "![\"><img src=x onerror=alert(1)>](http://evil/\"onerror=alert(1))", "```\"><img src=x onerror=alert(1)>\nx\n```", "```<script>\n</code></pre><script>alert(1)</script>\n```", "`<img src=x onerror=alert(1)>`",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |", "# <script>alert(1)</script>", "> <iframe src=//evil>", "- <svg onload=alert(1)>", "[<img src=x onerror=alert(1)>](http://ok)",
    "[a](http://ok \"x\" onclick=alert(1))", "[a](http://ok '\"onmouseover=\"alert(1)')", "<!--><img src=x onerror=alert(1)>-->", "<![CDATA[<img src=x onerror=alert(1)>]]>", "<a href=\"http://ok\" target=\"_self\" onclick=alert(1)>",
];
const tags = new Set(["P", "BR", "HR", "H1", "H2", "H3", "H4", "H5", "H6", "STRONG", "EM", "DEL", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "A", "DIV", "SPAN", "BUTTON"]);

for (const attack of attacks) {
    test(`nothing acts: ${attack.replaceAll("\n", "\\n")}`, () => {
        for (const el of draw(attack).querySelectorAll("*")) {
            assert.ok(tags.has(el.tagName), el.outerHTML);
            for (const { name, value } of el.attributes) {
                assert.ok(!/^on|^style$|^src|^id$|^name$|action/i.test(name), el.outerHTML);
                if (name === "href") assert.match(value, /^(https?|mailto):/i);
                if (name === "data-src") assert.match(value, /^https?:/i);
            }
            if (el.tagName === "A" && el.hasAttribute("href")) {
                assert.equal(el.getAttribute("rel"), "noopener noreferrer");
                assert.equal(el.getAttribute("target"), "_blank");
            }
        }
    });
}

test("raw HTML is shown as the text that it is", () => {
    assert.equal(draw("a <b>bold</b> <script>x</script>").textContent, "a <b>bold</b> <script>x</script>\n");
});

test("a remote image becomes a button that names its host", () => {
    const button = draw("![a cat](https://pictures.example/cat.png)").querySelector("button.remote-image")!;
    assert.equal(button.textContent, "Open image “a cat” from pictures.example");
    assert.equal(button.getAttribute("data-src"), "https://pictures.example/cat.png");
});

test("a code block has its language, copy and wrap, and its text unchanged", () => {
    const body = draw("```c title\nif (a < b && c)\n\treturn \"x\";\n```");
    assert.equal(body.querySelector(".code-head span")!.textContent, "c");
    assert.equal(body.querySelector("pre code")!.textContent, "if (a < b && c)\n\treturn \"x\";");
    assert.deepEqual([...body.querySelectorAll("button")].map((b) => b.className), ["wrap", "copy"]);
    assert.ok([...body.querySelectorAll("button")].every((b) => b.type === "button"));
    assert.equal(body.querySelector("pre")!.tabIndex, 0);
});

test("the usual forms are drawn", () => {
    const body = draw("# T\n\n**b** *i* ~~d~~ `c`\n\n1. x\n2. y\n\n- [x] done\n- [ ] open\n\n> q\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n[l](https://example.org) https://auto.example\n\n---");
    for (const selector of ["h1", "strong", "em", "del", "p code", "ol li", "ul li", "blockquote p", "table td[align=right]", "a[href='https://example.org']", "a[href='https://auto.example']", "hr"]) assert.ok(body.querySelector(selector), selector);
    assert.match(body.textContent!, /☑ done[\s\S]*☐ open/);
});

const texts = [
    "# One\n\nA paragraph\nover two lines.\n\n- a\n- b\n\n  deeper\n\n    code in a list\n- c\n\n1. x\n\n   y\n2. z\n\n```c\nint a;\n\n```\n\nafter\n",
    "Title\n=====\n\nText\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\nlazy\n\n> more\n\n***\n\n    indented\n\n    still\n\nend",
    "para\n- list right after\n- more\npara again\n\n* * *\n\n<div>\nhtml\n\n</div>\n\ntext <!-- comment\n\nover blocks --> end\n",
    "See [ref] and [other][ref].\n\n[ref]: https://example.org 'a\ntitle'\n\nMore [ref] text.\n",
    "```\nnever closed\n\n# not a heading\n", "~~~~\n```\n~~~\n~~~~\nx\n", "a\r\nb\r\n\r\n- c\r\n- d\r\n", "1. a\n\n\n2. b\n\n\n\ntext\n\n- x\n\n1. y\n", "\n\n\nleading space\n\n\n", "",
];

test("blocks drawn one after another equal the whole", () => {
    for (const text of texts) assert.equal(page(new Splitter().split(text).map(render).join("")).innerHTML.trim(), page(renderWhole(text)).innerHTML.trim(), JSON.stringify(text));
});

test("a text that grows by any steps ends in the same blocks as at once", () => {
    let state = 12345;
    const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    for (const text of texts) {
        for (let round = 0; round < 20; round++) {
            const splitter = new Splitter();
            for (let at = 0; at < text.length;) {
                at = Math.min(text.length, at + 1 + Math.floor(random() * (round + 1)));
                assert.deepEqual(splitter.split(text.slice(0, at)), new Splitter().split(text.slice(0, at)), JSON.stringify(text.slice(0, at)));
            }
        }
    }
});

test("a settled block keeps its source while the text grows", () => {
    const splitter = new Splitter();
    const first = splitter.split("one\n\ntwo\n\nthree\n\nfour");
    const next = splitter.split("one\n\ntwo\n\nthree\n\nfour and more\n\nfive");
    assert.deepEqual(next.slice(0, 3), first.slice(0, 3));
    assert.deepEqual(splitter.split("another text"), [{ source: "another text", definitions: "" }]);
});
