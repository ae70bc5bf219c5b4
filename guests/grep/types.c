#include "types.h"

#include <string.h>

#include "common/buf.h"

static const struct {
    const char *name;
    const char *globs;
} types[] = {
    {"asm", "*.asm *.s *.S"},
    {"c", "*.c *.h"},
    {"clojure", "*.clj *.cljs *.cljc *.edn"},
    {"cmake", "CMakeLists.txt *.cmake"},
    {"cpp", "*.cpp *.cc *.cxx *.C *.hpp *.hh *.hxx *.h *.inl"},
    {"cs", "*.cs"},
    {"css", "*.css *.scss *.sass *.less"},
    {"csv", "*.csv *.tsv"},
    {"dart", "*.dart"},
    {"docker", "Dockerfile Dockerfile.* *.dockerfile"},
    {"elixir", "*.ex *.exs"},
    {"erlang", "*.erl *.hrl"},
    {"go", "*.go"},
    {"graphql", "*.graphql *.gql"},
    {"haskell", "*.hs *.lhs"},
    {"html", "*.html *.htm *.xhtml"},
    {"java", "*.java"},
    {"js", "*.js *.jsx *.mjs *.cjs"},
    {"json", "*.json *.jsonl *.json5"},
    {"kotlin", "*.kt *.kts"},
    {"log", "*.log"},
    {"lua", "*.lua"},
    {"make", "Makefile makefile GNUmakefile Makefile.* *.mk"},
    {"md", "*.md *.markdown *.mdx"},
    {"nix", "*.nix"},
    {"ocaml", "*.ml *.mli"},
    {"perl", "*.pl *.pm *.t"},
    {"php", "*.php *.phtml"},
    {"proto", "*.proto"},
    {"py", "*.py *.pyi"},
    {"r", "*.r *.R *.Rmd"},
    {"ruby", "*.rb *.gemspec Gemfile Rakefile"},
    {"rust", "*.rs"},
    {"scala", "*.scala *.sbt"},
    {"sh", "*.sh *.bash *.zsh *.ksh .bashrc .profile"},
    {"sql", "*.sql"},
    {"svelte", "*.svelte"},
    {"swift", "*.swift"},
    {"tex", "*.tex *.bib *.sty *.cls"},
    {"tf", "*.tf *.tfvars"},
    {"toml", "*.toml Cargo.lock"},
    {"ts", "*.ts *.tsx *.mts *.cts"},
    {"txt", "*.txt"},
    {"vue", "*.vue"},
    {"wat", "*.wat *.wit"},
    {"xml", "*.xml *.xsd *.xsl *.svg"},
    {"yaml", "*.yaml *.yml"},
    {"zig", "*.zig *.zon"},
};

static const struct {
    const char *name;
    const char *type;
} aliases[] = {
    {"bash", "sh"},       {"c++", "cpp"},      {"csharp", "cs"},     {"javascript", "js"},
    {"markdown", "md"},   {"python", "py"},    {"rs", "rust"},       {"rb", "ruby"},
    {"shell", "sh"},      {"terraform", "tf"}, {"tsx", "ts"},        {"jsx", "js"},
    {"typescript", "ts"}, {"yml", "yaml"},     {"makefile", "make"}, {"text", "txt"},
};

const char *bx_types_find(const char *name) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i].name, name) == 0) {
            name = aliases[i].type;
        }
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].globs;
        }
    }
    return NULL;
}

char *bx_types_list(void) {
    struct bx_buf out = {0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bx_buf_add_fmt(&out, "%s%s", i ? ", " : "", types[i].name);
    }
    return out.data;
}
